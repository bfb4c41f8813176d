/** The shop in Python with Hallpass beside it and a proxy in front, as the READMEs of examples/python-* say. */
import { fileURLToPath } from 'node:url'
import { signIn } from '../approve.ts'
import { type ProxyProgram, proxies, python, startListening, startProxy, stop } from '../running-proxy.ts'
import { freePort, startServer } from '../running-server.ts'
import { describeShop, type RunningShop } from './shop-scenario.ts'

const folder = fileURLToPath(new URL('../../examples/shop/', import.meta.url))

/** Runs the scenario against the shop behind the proxy of that name. */
export function describePythonShop(name: string, proxyName: string): void {
  const proxy = proxies.find((one) => one.name === proxyName)
  if (!proxy) throw new TypeError(`there is no proxy ${proxyName}`)
  describeShop(name, () => startPythonShop(proxy), { skip: python.skip || proxy.skip })
}

async function startPythonShop(proxy: ProxyProgram): Promise<RunningShop> {
  const [port, appPort] = await Promise.all([freePort(), freePort()])
  const baseUrl = `http://localhost:${port}`
  const [server, app] = await Promise.all([
    startServer({
      flags: ['--config', `${folder}hallpass.config.json`],
      env: { HALLPASS_BASE_URL: baseUrl },
    }),
    startListening(python.program, [`${folder}shop.py`, String(appPort)], folder, appPort),
  ])
  const stopBoth = (): Promise<unknown> => Promise.all([server.stop(), stop(app)])
  const running = await startProxy(proxy, { hallpassPort: server.port, appPort, port }).catch(
    async (error: unknown) => {
      await stopBoth()
      throw error
    },
  )
  return {
    baseUrl,
    invoices: { customer: server.adminUsername, invoices: [{ id: 1, item: 'a kite' }] },
    signIn: (page) => signIn(page, server),
    async stop() {
      await Promise.all([running.stop(), stopBoth()])
    },
  }
}
