import { describeShop, startLibraryShop } from './shop-scenario.ts'

describeShop('examples/fastify', () => startLibraryShop('fastify'))
