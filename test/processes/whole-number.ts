/** Arguments of scripts: a word that is no number would otherwise make a run that does nothing, or one without an end. */

/** @throws Error naming the argument when it is not a whole number from 1 */
export function wholeNumber(name: string, text: string | undefined, fallback: number): number {
  if (text === undefined) return fallback
  const number = Number(text)
  if (Number.isSafeInteger(number) && number >= 1) return number
  throw new Error(`${name} is ${JSON.stringify(text)}, expected a whole number from 1`)
}
