/** What the command loads when it serves the forum, in one piece. */
export { bookmarksCalendar } from './bookmark-routes.ts'
export { createForum } from './forum.ts'
