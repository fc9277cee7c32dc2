/** The middle of measured values and how far they lie apart. */
export interface Spread {
  readonly median: number
  readonly lowest: number
  readonly highest: number
}

/** @throws If there is nothing to summarise. */
export function spreadOf(values: readonly number[]): Spread {
  const sorted = [...values].sort((one, other) => one - other)
  const [lowest] = sorted
  const highest = sorted.at(-1)
  const lower = sorted[Math.floor((sorted.length - 1) / 2)]
  const upper = sorted[Math.ceil((sorted.length - 1) / 2)]
  if (lowest === undefined || highest === undefined || lower === undefined || upper === undefined) {
    throw new Error('no values were measured')
  }
  return { median: (lower + upper) / 2, lowest, highest }
}

/**
 * The ratio of two medians, with the lowest and highest ratio of a round: both were measured in each round one after the
 * other, so that a busy minute of the machine is in both.
 */
export function ratioOf(values: readonly number[], against: readonly number[]): Spread {
  const rounds = spreadOf(values.flatMap((value, round) => (against[round] ? [value / against[round]] : [])))
  return { ...rounds, median: spreadOf(values).median / spreadOf(against).median }
}

/** One size of something that grows, and what it took. */
export interface GrowthPoint {
  readonly size: number
  readonly cost: number
}

export type Growth = 'flat' | 'linear' | 'worse than linear'

/**
 * How a cost grows with a size: the exponent of the power law through the largest hundredfold, by least squares. The
 * small sizes are left out where there are enough: there a fixed cost hides what grows.
 */
export function growthOf(points: readonly GrowthPoint[]): { exponent: number; growth: Growth } {
  const largest = Math.max(...points.map(({ size }) => size))
  const upper = points.filter(({ size }) => size >= largest / 100)
  const logs = upper.map(({ size, cost }) => ({ x: Math.log(size), y: Math.log(cost) }))
  const mean = (values: number[]) => values.reduce((total, value) => total + value, 0) / values.length
  const x = mean(logs.map((log) => log.x))
  const y = mean(logs.map((log) => log.y))
  const exponent =
    logs.reduce((total, log) => total + (log.x - x) * (log.y - y), 0) /
    logs.reduce((total, log) => total + (log.x - x) ** 2, 0)
  return { exponent, growth: exponent < 0.2 ? 'flat' : exponent <= 1.15 ? 'linear' : 'worse than linear' }
}
