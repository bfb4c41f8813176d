/** The parameters in an address, taken apart when they are asked for: most decisions need none of them. */
export interface Query {
  /** What follows the `?`; empty where nothing does. */
  readonly text: string
  /** Only to be read. */
  readonly parameters: URLSearchParams
}

/** `text`: what follows the `?` of an address, without a fragment. */
export function readQuery(text: string): Query {
  return text === '' ? noQuery : new LazyQuery(text)
}

/** Whether a parameter could have a name that ends in `name`, as far as can be told without taking the query apart. */
export function mayName({ text }: Query, name: string): boolean {
  return text !== '' && (text.includes(name) || text.includes('%'))
}

/** The query of an address without one. */
export const noQuery: Query = { text: '', parameters: new URLSearchParams() }

class LazyQuery implements Query {
  readonly text: string
  #parameters: URLSearchParams | undefined

  constructor(text: string) {
    this.text = text
  }

  get parameters(): URLSearchParams {
    this.#parameters ??= new URLSearchParams(this.text)
    return this.#parameters
  }
}
