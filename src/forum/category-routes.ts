import type { User } from '../domain/user.ts'
import { createCategory, listCategories, pickCategory } from './categories.ts'
import { refuseUnlessStaff } from './editing.ts'
import { categoriesPage } from './pages/finding-pages.ts'
import { refuseNotFound } from './refused.ts'
import { renderPage } from './render.ts'
import { idIn, json } from './respond.ts'
import type { CategoryRow } from './schema.ts'
import { listTabs, orderIn, topicFeed, topicList } from './topic-list-response.ts'
import { type ForumParts, type ForumRouter, requireViewer, type Visit } from './visit.ts'

/** Categories: `/categories…` and `/c/…`. */
export function addCategoryRoutes(router: ForumRouter, forum: ForumParts): void {
  router.get('/categories', async ({ env: { visit } }) => {
    const categories = await listCategories(forum.db)
    if (visit.wantsPage) {
      const tabs = await listTabs(forum, visit.viewer)
      return renderPage(forum, visit, { title: 'Categories' }, () => categoriesPage(categories, tabs))
    }
    return json({
      category_list: {
        can_create_category: visit.viewer?.admin ?? false,
        can_create_topic: visit.viewer !== undefined,
        categories: categories.map((category) => categoryJson(category, visit.viewer)),
      },
    })
  })
  router.get('/categories/find', async ({ env: { visit } }) => {
    const ids = new Set(visit.parameters.list('ids'))
    const categories = await listCategories(forum.db)
    return json({
      categories: categories
        .filter((category) => ids.has(String(category.id)))
        .map((category) => categoryJson(category, visit.viewer)),
    })
  })
  const search = async (visit: Visit) => {
    const term = (visit.parameters.text('term') ?? '').toLowerCase()
    const categories = (await listCategories(forum.db)).filter(({ name }) =>
      name.toLowerCase().includes(term),
    )
    return json({
      categories: categories.map((category) => categoryJson(category, visit.viewer)),
      categories_count: categories.length,
    })
  }
  router.get('/categories/search', ({ env: { visit } }) => search(visit))
  router.post('/categories/search', ({ env: { visit } }) => search(visit))
  router.post('/categories', async ({ env: { visit } }) => {
    refuseUnlessStaff(requireViewer(visit))
    const category = await createCategory(forum.db, {
      name: visit.parameters.text('name') ?? '',
      color: visit.parameters.text('color') ?? '0088cc',
      description: visit.parameters.text('description') ?? '',
      now: forum.clock.now(),
    })
    return json({ category: categoryJson({ ...category, topicCount: 0, postCount: 0 }, visit.viewer) })
  })
  router.get('/c/:id/show', async ({ env: { visit }, req }) => {
    const categories = await listCategories(forum.db)
    const category = categories.find((one) => one.id === idIn(req.param('id'), 'category'))
    if (category === undefined) return refuseNotFound(`category ${req.param('id')}`)
    return json({ category: categoryJson(category, visit.viewer) })
  })
  const show = async (visit: Visit, named: string, list: string | undefined) => {
    const category = pickCategory(await listCategories(forum.db), named)
    if (category === undefined) return refuseNotFound(`category ${named.slice(0, 40)}`)
    const path = `/c/${category.slug}/${category.id}`
    const filter = { categoryId: category.id }
    if (visit.route.format === 'rss') return topicFeed(forum, { title: category.name, path }, filter)
    const { name: heading, description } = category
    if (list === 'new' || list === 'unread') {
      const viewer = requireViewer(visit)
      return topicList(forum, visit, {
        heading,
        path: `${path}/l/${list}`,
        filter: { ...filter, kind: list, viewer },
      })
    }
    const order = list === 'top' ? ({ order: 'posts' } as const) : orderIn(visit)
    const suffix = list === undefined ? '' : `/l/${list}`
    return topicList(forum, visit, {
      heading,
      description,
      path: path + suffix,
      category,
      filter: { ...filter, ...order },
    })
  }
  router.get('/c/:slug', ({ env: { visit }, req }) => show(visit, req.param('slug'), undefined))
  router.get('/c/:slug/:id{[0-9]+}', ({ env: { visit }, req }) => show(visit, req.param('id'), undefined))
  router.get('/c/:slug/:id{[0-9]+}/l/:list{latest|new|unread|top}', ({ env: { visit }, req }) =>
    show(visit, req.param('id'), req.param('list')),
  )
}

/** A category by the wire's names. */
export function categoryJson(
  category: CategoryRow & { readonly topicCount: number; readonly postCount: number },
  viewer: User | undefined,
): Record<string, unknown> {
  return {
    id: category.id,
    name: category.name,
    slug: category.slug,
    color: category.color,
    text_color: 'FFFFFF',
    description: category.description,
    description_text: category.description,
    description_excerpt: category.description,
    position: category.position,
    topic_count: category.topicCount,
    post_count: category.postCount,
    topic_url: null,
    read_restricted: false,
    permission: viewer === undefined ? null : 1,
    can_edit: viewer?.admin ?? false,
    notification_level: 1,
    parent_category_id: null,
    has_children: false,
    subcategory_ids: [],
    subcategory_list: [],
  }
}
