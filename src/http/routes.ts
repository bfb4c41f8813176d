/** The site's routes, of which those of health need not wait for the others to be loaded. */
import { mayName, type Query } from '../protocol/query.ts'
import type { Route } from '../protocol/route.ts'
import { routeName } from '../protocol/route-name.ts'
import type { WhoSignsIn } from './all-routes.ts'
import { healthAnswers } from './health.ts'
import type { Environment, Router, Service } from './service.ts'

export interface Routes {
  /** The answer of the route that a request is for. The environment says afterwards whether there is one. */
  fetch(request: Request, environment: Environment): Response | Promise<Response>
  /**
   * Whether anything here could answer such a request: a route, whether it is switched on or not, or what is answered on
   * every path, which are preflights and the entrance to one-time passwords. What is not loaded could.
   */
  mayAnswer(route: Route, query: Query): boolean
  /** Loads what is not loaded yet; otherwise the first request does that needs it. */
  load(): Promise<void>
}

/**
 * The routes, pages and all that they need are half of Hallpass. A server that starts answers whether it runs before it
 * loads them.
 */
export function createRoutes(service: Service, people: WhoSignsIn): Routes {
  let router: Router | undefined
  let loading: Promise<Router> | undefined

  async function loadRouter(): Promise<Router> {
    const { createAllRoutes } = await import('./all-routes.ts')
    router = createAllRoutes(service, people)
    return router
  }

  function loaded(): Promise<Router> {
    // What failed, as for want of a file handle, is tried again: the process lives on.
    loading ??= loadRouter().catch((error: unknown) => {
      loading = undefined
      throw error
    })
    return loading
  }

  return {
    fetch(request, environment) {
      if (router) return router.fetch(request, environment)
      const { visit } = environment
      const { method, path } = visit.route
      const answer = method === 'GET' ? healthAnswers[path] : undefined
      if (!answer) return loaded().then((all) => all.fetch(request, environment))
      environment.route = routeName(method, path)
      return answer(service, visit)
    },

    mayAnswer({ method, path }, query) {
      if (!router || method === 'OPTIONS' || mayName(query, 'user_api_public_key')) return true
      const [handlers] = router.router.match(method === 'HEAD' ? 'GET' : method, path)
      return handlers.length > 0
    },

    async load() {
      await loaded()
    },
  }
}
