/** The page with the apps that a user has approved. */
export const appsPath = '/hallpass/apps'

/** The reference of all refusals; a reason's own page is below it. */
export const errorDocsPath = '/hallpass/docs/errors'

/** Where a person signs in. `redirect` in its query says where to go afterwards. */
export const signInPath = '/login'
