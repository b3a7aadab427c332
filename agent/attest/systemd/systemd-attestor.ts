/**
 * The `systemd` attestor: the unit that a process belongs to, and the file that the unit was read from, asked of systemd
 * over the system's message bus. A process that belongs to no unit is a failure, as with SPIRE.
 *
 * @see SPIRE behaviour §4 — selectors of the systemd attestor
 */
import { once } from 'node:events'
import { IdentityError, reasonOf } from '../../../spiffe/error.ts'
import { selector } from '../../../spiffe/selector.ts'
import type { BusConnection } from '../../dbus/connection.ts'
import type { WorkloadAttestor } from '../workload-attestor.ts'

export interface SystemdAttestorDeps {
  /** @throws IdentityError UNAVAILABLE */
  connect(): Promise<BusConnection>
}

const TYPE = 'systemd'
const SYSTEMD = 'org.freedesktop.systemd1'

export function systemdAttestor(deps: SystemdAttestorDeps): WorkloadAttestor {
  const bus = keepConnection(deps)
  return {
    type: TYPE,
    async attest({ pid }) {
      const connection = await bus.open()
      const unit = await unitOf(connection, pid)
      const [id, fragmentPath] = await Promise.all([
        propertyOf(connection, unit, 'Id'),
        propertyOf(connection, unit, 'FragmentPath'),
      ])
      return [selector(TYPE, `id:${id}`), selector(TYPE, `fragment_path:${fragmentPath}`)]
    },
    async follow(signal) {
      if (!signal.aborted) await once(signal, 'abort')
      bus.close()
    },
  }
}

/** One connection for all callers, opened when first needed and again when it broke. */
function keepConnection({ connect }: SystemdAttestorDeps) {
  let opening: Promise<BusConnection> | undefined
  let open: BusConnection | undefined
  return {
    async open(): Promise<BusConnection> {
      if (open?.isOpen) return open
      opening ??= connect().finally(() => {
        opening = undefined
      })
      open = await opening
      return open
    },
    close: () => open?.[Symbol.dispose](),
  }
}

async function unitOf(connection: BusConnection, pid: number): Promise<string> {
  try {
    const [path] = await connection.call({
      destination: SYSTEMD,
      path: '/org/freedesktop/systemd1',
      interface: `${SYSTEMD}.Manager`,
      member: 'GetUnitByPID',
      args: [{ type: 'u', value: pid }],
    })
    if (path !== undefined) return path
  } catch (error) {
    throw failed(`failed to get unit by pid ${pid}: ${reasonOf(error)}`, error)
  }
  throw failed(`failed to get unit by pid ${pid}: systemd named none`)
}

async function propertyOf(connection: BusConnection, unit: string, name: string): Promise<string> {
  try {
    const [value] = await connection.call({
      destination: SYSTEMD,
      path: unit,
      interface: 'org.freedesktop.DBus.Properties',
      member: 'Get',
      args: [
        { type: 's', value: `${SYSTEMD}.Unit` },
        { type: 's', value: name },
      ],
    })
    if (value !== undefined) return value
  } catch (error) {
    throw failed(`error getting value for ${name}: ${reasonOf(error)}`, error)
  }
  throw failed(`error getting value for ${name}: it is no text`)
}

function failed(message: string, cause?: unknown): IdentityError {
  return new IdentityError('UNAVAILABLE', message, { cause })
}
