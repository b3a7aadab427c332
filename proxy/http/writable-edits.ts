/** Whether edits can be written into a head without breaking it apart; if not, the request is refused. */
import { CLASS, TARGET, TOKEN, VALUE } from './characters.ts'
import type { HeadEdits } from './exchange.ts'

/** Lines come from configuration and tokens: one that would break the head apart is a reason to refuse. */
export function areWritable(edits: HeadEdits): boolean {
  return (
    (edits.path === undefined || (edits.path !== '' && consistsOf(edits.path, TARGET))) &&
    edits.add.every(
      ([name, value]) => name !== '' && consistsOf(name, TOKEN) && consistsOf(value, VALUE),
    )
  )
}

function consistsOf(text: string, wanted: number): boolean {
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at)
    if (code < 0x80 ? ((CLASS[code] ?? 0) & wanted) === 0 : wanted !== VALUE) return false
  }
  return true
}
