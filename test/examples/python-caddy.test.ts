import { describePythonShop } from './python-shop.ts'

describePythonShop('examples/python-caddy', 'Caddy')
