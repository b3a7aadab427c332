/** What benchmarks keep in documents: each table stands between two marks of a name of its own. */
import { readFileSync, writeFileSync } from 'node:fs'

let isKept = true

/** From now on no document changes: figures of a machine that does other things are not for one. */
export function onlyPrint(): void {
  isKept = false
}

export const keepsTables = (): boolean => isKept

/** @param rewrite is given what stood there. @throws Error when the document lacks the marks */
export function rewriteTable(
  document: string,
  name: string,
  rewrite: (before: string) => string,
): void {
  if (!isKept) return
  const [begin, end] = [`<!-- ${name}: begin -->`, `<!-- ${name}: end -->`]
  const [before = '', rest] = readFileSync(document, 'utf8').split(begin)
  const [old = '', after] = rest?.split(end) ?? []
  if (after === undefined) throw new Error(`${document} has no ${begin} with its end`)
  writeFileSync(document, `${before}${begin}\n${rewrite(old)}\n${end}${after}`)
}
