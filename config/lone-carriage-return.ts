/**
 * YAML takes a carriage return alone for the end of a line (YAML 1.2.2 §5.4), and so does kubectl; the library that we read with takes
 * it for a character. What two readers would read in two ways is refused.
 */

export const LONE_CARRIAGE_RETURN =
  'a carriage return without a line feed ends a line for some readers and not for others; end lines with a line feed'

/** @returns its offset, undefined when there is none */
export function loneCarriageReturn(text: string): number | undefined {
  const at = text.search(/\r(?!\n)/)
  return at < 0 ? undefined : at
}
