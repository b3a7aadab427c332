/**
 * Where the admin socket may lie. The directory of the Workload API's socket is shared with workloads, often as a
 * mount, so nothing of the administrators' may be in or below it. Fails closed: such a path is refused.
 *
 * @see SPIRE behaviour §15 — the admin socket is outside the public directory
 */
import { dirname, resolve } from 'node:path'
import { type Context, placeOf, type Unsure } from '../../config/check.ts'
import { addMistake } from '../../config/mistake.ts'

export interface SocketKeys {
  readonly admin_socket_path: string | undefined
  readonly disable_workload_api: boolean
  readonly socket_path: string
}

type Written = Unsure<SocketKeys> & Parameters<typeof placeOf>[0]

/** Reports a mistake when workloads could come across the admin socket. */
export function checkAdminSocket(read: Written, { report }: Context): void {
  const { admin_socket_path: admin, socket_path: workloads } = read
  if (admin === undefined || workloads === undefined || read.disable_workload_api === true) return
  const shared = dirname(resolve(workloads))
  const inShared = shared === '/' ? '/' : `${shared}/`
  if (!resolve(admin).startsWith(inShared)) return
  const message = `agent.admin_socket_path ${admin} is in the directory of agent.socket_path, ${shared}, or below it`
  addMistake(report, placeOf(read, 'admin_socket_path'), message, 'a path outside of it')
}
