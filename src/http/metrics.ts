/** What Prometheus reads, for administrators. Without a credential it is to be had on a port of its own (`cli`). */
import { type Router, routesOf, type Service } from './service.ts'

/** Adds the route, where there is somebody who keeps metrics. */
export function addMetricsRoutes(router: Router, service: Service): void {
  const { expose } = service
  if (!expose) return
  const route = routesOf(router, service)
  for (const path of service.metricsPaths) {
    route('GET', path, { who: 'admin' }, async () => {
      const { contentType, text } = await expose()
      return new Response(text, { headers: { 'content-type': contentType, 'cache-control': 'no-store' } })
    })
  }
}
