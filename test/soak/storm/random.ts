/** Chance of the machine's own: nothing here is repeated. */
import { randomInt } from 'node:crypto'

const STEPS = 2 ** 32

/** From 0 to 1, which is left out. */
export const random = (): number => randomInt(STEPS) / STEPS

/** @throws RangeError when there is nothing to choose from */
export function chooseOf<T>(list: readonly T[]): T {
  const chosen = list[randomInt(list.length)]
  if (chosen === undefined) throw new RangeError('there is nothing to choose from')
  return chosen
}
