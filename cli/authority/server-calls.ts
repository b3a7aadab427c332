/** The calls by which servers that share a trust domain are looked at, and rotated, from any one of them. */
import type { ForgetServerResponse } from '../../proto/gen/steeple/server/authority/v1/ForgetServerResponse.ts'
import type { GetOverviewResponse } from '../../proto/gen/steeple/server/authority/v1/GetOverviewResponse.ts'
import type { ListServersResponse } from '../../proto/gen/steeple/server/authority/v1/ListServersResponse.ts'
import type { TakeStepResponse } from '../../proto/gen/steeple/server/authority/v1/TakeStepResponse.ts'
import { authorityApi } from '../../proto/load.ts'
import { IdentityError } from '../../spiffe/error.ts'
import { attempting, type Endpoint } from '../rpc/endpoint.ts'
import type { RotatedKind } from './authority-calls.ts'
import type { Step } from './rotation-step.ts'

export interface StepAt {
  readonly step: Step | 'discard'
  /** Empty for what is done in the bundle. */
  readonly serverKey: string
  /** To prepare: the one that signs there. */
  readonly authorityId: string
  readonly leftOut: readonly string[]
}

export interface ServerCalls {
  list(): Promise<ListServersResponse>
  /** Undefined for a server that knows of none but itself. */
  overview(kind: RotatedKind): Promise<GetOverviewResponse | undefined>
  /** @returns the ID of the authority it was done to */
  take(kind: RotatedKind, step: StepAt): Promise<string>
  forget(key: string): Promise<void>
}

const WIRE_KINDS = { x509: 'X509', jwt: 'JWT' } as const
const WIRE_STEPS = {
  ...({ prepare: 'PREPARE', activate: 'ACTIVATE', taint: 'TAINT', revoke: 'REVOKE' } as const),
  discard: 'DISCARD',
} as const

export function serverCalls(server: Endpoint): ServerCalls {
  const client = server.client(authorityApi())
  return {
    list: () =>
      attempting(
        'could not list the servers',
        server.call<ListServersResponse>((options, done) => client.ListServers({}, options, done)),
      ),
    async overview(kind) {
      try {
        return await server.call<GetOverviewResponse>((options, done) =>
          client.GetOverview({ kind: WIRE_KINDS[kind] }, options, done),
        )
      } catch (error) {
        if (error instanceof IdentityError && error.code === 'NOT_IMPLEMENTED') return undefined
        throw error
      }
    },
    async take(kind, { step, serverKey, authorityId, leftOut }) {
      const request = {
        ...{ kind: WIRE_KINDS[kind], step: WIRE_STEPS[step], server_key: serverKey },
        ...{ authority_id: authorityId, left_out: [...leftOut] },
      }
      const { authority_id } = await attempting(
        `could not ${step} the authority`,
        server.call<TakeStepResponse>((options, done) => client.TakeStep(request, options, done)),
      )
      return authority_id
    },
    async forget(key) {
      await attempting(
        'could not forget the server',
        server.call<ForgetServerResponse>((options, done) =>
          client.ForgetServer({ server_key: key }, options, done),
        ),
      )
    },
  }
}
