import { describeShop, startLibraryShop } from './shop-scenario.ts'

describeShop('examples/express', () => startLibraryShop('express'))
