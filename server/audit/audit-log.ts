/**
 * The audit log: one line for each call to the server, who made it and how it ended. Never a token, a key, or anything
 * else that would let a reader act.
 *
 * @see https://github.com/spiffe/spire/blob/main/doc/auditlog.md
 */
import { readlinkSync } from 'node:fs'
import type { Log } from '../../log/open-log.ts'
import type { UnixCaller } from '../../proto/peer-credentials.ts'
import type { Call, CallEnd } from '../../proto/serve.ts'
import { toStatus } from '../../proto/status.ts'
import { statusName } from '../../telemetry/metrics.ts'
import { rpcName } from '../../telemetry/rpc-name.ts'
import { authorize, type Standing } from '../listen/authorize.ts'
import { type Caller, describeCaller } from '../listen/caller.ts'
import { auditFields } from './audit-fields.ts'

export interface AuditDeps {
  readonly log: Log
  readonly standing: Standing
  randomUuid(): string
}

/** What handlers add to the line of their call. */
const notes = new WeakMap<object, Record<string, unknown>>()

/** For what only the handler knows. The caller's own words must be bounded by whoever adds them. */
export function noteForAudit(call: Call<Caller>, fields: Record<string, unknown>): void {
  notes.set(call, { ...notes.get(call), ...fields })
}

export function auditCall(method: string, end: CallEnd<Caller>, deps: AuditDeps): void {
  const { call, request, error } = end
  const { service, method: name } = rpcName(method)
  deps.log.info(
    {
      type: 'audit',
      request_id: deps.randomUuid(),
      service,
      method: name,
      ...whoCalled(call?.caller),
      ...(error === undefined ? { ...standingOf(method, call, deps), status: 'success' } : {}),
      ...(error === undefined ? {} : failure(error)),
      ...auditFields(request),
      ...(call === undefined ? {} : notes.get(call)),
    },
    'API accessed',
  )
}

function whoCalled(caller: Caller | undefined): Record<string, unknown> {
  const who = describeCaller(caller)
  if (caller?.kind !== 'unix') return who
  return { ...who, caller_gid: caller.gid, ...programOf(caller) }
}

/** Left out when the process has gone: its number may be another's by now. */
function programOf(caller: UnixCaller): { readonly caller_path?: string } {
  try {
    const path = readlinkSync(`/proc/${caller.pid}/exe`)
    return caller.isAlive() ? { caller_path: path } : {}
  } catch {
    return {}
  }
}

const VIA = { nobody: '', local: 'transport', agent: 'datastore' } as const

function standingOf(
  method: string,
  call: Call<Caller> | undefined,
  { standing }: AuditDeps,
): Record<string, unknown> {
  if (call === undefined) return {}
  const verdict = authorize(method, call.caller, standing)
  if (verdict.kind === 'deny') return {}
  const as = verdict.kind === 'allow' ? verdict.as : 'agent'
  const via = as === 'admin' || as === 'downstream' ? {} : { authorized_via: VIA[as] }
  return { authorized_as: as, ...via }
}

/** What the caller was told, and no more. */
function failure(error: unknown): Record<string, unknown> {
  return {
    status: 'error',
    status_code: statusName(error),
    status_message: toStatus(error).details,
  }
}
