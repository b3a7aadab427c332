/**
 * What a waiting span holds of a text that a caller wrote: its beginning, and nothing behind it. Pure.
 * The engine makes a part of a string by pointing into the whole, which then lives as long as its part: a path of 1 kB from a
 * target of 60 kB would hold all of it while the collector is away.
 */

/** Characters of one text; of more the beginning is told. */
export const MAX_TEXT = 1024

/**
 * @param whole what `text` is a part of; one within the bound is no more than a span may hold, so that parts of it stay as they are
 * @returns at most `MAX_TEXT` characters, never half of a surrogate pair that was whole
 */
export function heldText(text: string, whole?: string): string
export function heldText(text: string | undefined, whole?: string): string | undefined
export function heldText(text: string | undefined, whole = text): string | undefined {
  if (text === undefined || whole === undefined || whole.length <= MAX_TEXT) return text
  // By way of bytes: the one copy that the engine cannot turn into a reference again.
  return Buffer.from(beginningOf(text)).toString()
}

function beginningOf(text: string): string {
  if (text.length <= MAX_TEXT) return text
  const isPairAtEnd = (text.codePointAt(MAX_TEXT - 1) ?? 0) > 0xffff
  return text.slice(0, isPairAtEnd ? MAX_TEXT - 1 : MAX_TEXT)
}
