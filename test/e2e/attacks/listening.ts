/** The TCP ports that a process listens on, as the kernel lists them. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'

const LISTENING = '0A'

/** @returns in ascending order */
export function portsOf(pid: number): readonly number[] {
  const sockets = new Set(
    readdirSync(`/proc/${pid}/fd`).map((fd) => linkOf(`/proc/${pid}/fd/${fd}`)),
  )
  const rows = ['tcp', 'tcp6'].flatMap((family) =>
    readFileSync(`/proc/${pid}/net/${family}`, 'utf8').trim().split('\n').slice(1),
  )
  return rows
    .map((row) => row.trim().split(/\s+/))
    .filter(
      ([, , , state, , , , , , inode]) => state === LISTENING && sockets.has(`socket:[${inode}]`),
    )
    .map(([, address = '']) => Number.parseInt(address.split(':')[1] ?? '', 16))
    .toSorted((one, other) => one - other)
}

/** A descriptor may be closed meanwhile. */
function linkOf(path: string): string | undefined {
  try {
    return readlinkSync(path)
  } catch {
    return undefined
  }
}
