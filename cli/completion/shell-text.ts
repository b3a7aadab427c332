/** What the scripts for all shells are written with. */

/** One word to every shell that we write for, whatever is in it. */
export function shellQuoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`
}

/** fish knows two escapes between single quotes, and no way to end and reopen them. */
export function fishQuoted(text: string): string {
  return `'${text.replace(/[\\']/g, (character) => `\\${character}`)}'`
}

/** The name of a function that belongs to the completion of a program. */
export function functionName(program: string): string {
  return `_${program.replaceAll('-', '_')}`
}
