// What the harness and a fault node say to each other.

export interface Behaviour {
  /** Time until it answers, ms; 5 where not told. */
  readonly serviceMs?: number
  /** Share of requests answered with 500, 0 to 1. */
  readonly errorShare?: number
  /** Share of requests whose connection is reset, 0 to 1. */
  readonly resetShare?: number
}

export type ToNode =
  | { readonly do: 'listen'; readonly port: number }
  | ({ readonly do: 'behave' } & Behaviour)
  | { readonly do: 'count' }
