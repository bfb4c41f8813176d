import { describeShop, startLibraryShop } from './shop-scenario.ts'

describeShop('examples/web-standard', () => startLibraryShop('web-standard'))
