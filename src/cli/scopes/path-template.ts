import type { RouteFormat } from '../../protocol/route.ts'
import { routeFormats } from '../../protocol/route.ts'
import { compilePattern } from '../../protocol/route-pattern.ts'
import type { OperationParameter } from './openapi-document.ts'

/** A path template of OpenAPI as Hallpass writes it. */
export interface TranslatedPath {
  readonly pattern: string
  readonly format: RouteFormat | undefined
  /** The names of those parameters that are a template's own, in the pattern's form. */
  readonly names: readonly string[]
  /** What it takes beyond the template. */
  readonly warning: string | undefined
}

/**
 * `/invoices/{invoiceId}.json` is `/invoices/:invoice_id` with the format `json`. The answer is a text, which says why,
 * where no pattern stands for the template.
 */
export function translatePath(
  template: string,
  parameters: readonly OperationParameter[],
): TranslatedPath | string {
  if (template.split('/').length > mostSegments) return `it has more than ${mostSegments} segments`
  const plain = template.length > 1 ? template.replace(/\/$/, '') : template
  const format = routeFormats.find((one) => plain.endsWith(`.${one}`) && !plain.endsWith(`/.${one}`))
  const path = format === undefined ? plain : plain.slice(0, -format.length - 1)
  const integers = new Set(
    parameters.filter((one) => one.in === 'path' && one.isInteger).map(({ name }) => name),
  )
  const taken: string[] = []
  const names: string[] = []
  const coarse: string[] = []
  const segments = path
    .slice(1)
    .split('/')
    .map((segment) => {
      if (!/[{}]/.test(segment)) return decode(segment)
      const rest = /^\{([^{}]+)\+\}$/.exec(segment)
      if (rest) return '*'
      const whole = /^\{([^{}]+)\}$/.exec(segment)?.[1]
      if (whole === undefined) coarse.push(segment)
      const name = nameFor(whole ?? /\{([^{}]+)\}/.exec(segment)?.[1] ?? 'part', taken)
      taken.push(name)
      if (whole !== undefined) names.push(name)
      return `:${name}${whole !== undefined && integers.has(whole) ? '{[0-9]+}' : ''}`
    })
  const pattern = `/${path === '/' ? '' : segments.join('/')}`
  try {
    compilePattern(pattern)
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
  const warning =
    coarse.length > 0 ? `${coarse.join(' and ')} became a parameter that takes any segment` : undefined
  return { pattern, format, names, warning }
}

const mostSegments = 50

/** Lower-case letters, digits and `_`, as patterns have it; numbered where a path has the name already. */
function nameFor(given: string, taken: readonly string[]): string {
  const snake = given
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '_')
    .replace(/^[^a-z]+|_+$/g, '')
  const name = snake === '' ? 'part' : snake
  for (let number = 2; ; number += 1) {
    const candidate = taken.includes(name) ? `${name}_${number}` : name
    if (!taken.includes(candidate)) return candidate
  }
}

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment)
  } catch {
    return segment
  }
}
