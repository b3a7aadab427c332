/** A request as it is after a provider's edits: what the rules behind the provider see. */
import type { HeadEdits, RequestHead } from '../http/exchange.ts'

export function editedHead(head: RequestHead, edits: HeadEdits | undefined): RequestHead {
  if (edits === undefined) return head
  const { remove, add } = edits
  const added = (name: string) => add.filter(([one]) => one === name).map(([, value]) => value)
  return {
    version: head.version,
    method: head.method,
    path: head.path,
    authority: head.authority,
    grpc: head.grpc,
    headerLines: (name) =>
      remove.includes(name) ? added(name) : [...head.headerLines(name), ...added(name)],
    lines: () => [...head.lines().filter(([name]) => !remove.includes(name)), ...add],
  }
}
