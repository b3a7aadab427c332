import { status } from '@grpc/grpc-js'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { AuthorityState } from '../../../../proto/gen/spire/api/server/localauthority/v1/AuthorityState.ts'
import type { GetX509AuthorityStateResponse } from '../../../../proto/gen/spire/api/server/localauthority/v1/GetX509AuthorityStateResponse.ts'
import type { PrepareX509AuthorityResponse } from '../../../../proto/gen/spire/api/server/localauthority/v1/PrepareX509AuthorityResponse.ts'
import type { Bundle } from '../../../../proto/gen/spire/api/types/Bundle.ts'
import type { WatchResponse } from '../../../../proto/gen/steeple/server/sync/v1/WatchResponse.ts'
import { fromWireBundle } from '../../../../proto/wire.ts'
import { authorityIdOf } from '../../../../spiffe/x509/key-id.ts'
import {
  type Clients,
  call,
  messagesOf,
  startTestServer,
  type TestServer,
} from '../../running-server.ts'

let server: TestServer
let admin: Clients['localAuthority']
beforeEach(async () => {
  server = await startTestServer()
  admin = server.admin.localAuthority
})
afterEach(() => server[Symbol.asyncDispose]())

const preparedIn = ({ prepared_authority }: PrepareX509AuthorityResponse): AuthorityState =>
  prepared_authority ?? expect.unreachable()

/** The same five calls for both kinds; their messages are alike. */
const KINDS = {
  'X.509': {
    state: () =>
      call<GetX509AuthorityStateResponse>((done) => admin.GetX509AuthorityState({}, done)),
    prepare: () =>
      call<PrepareX509AuthorityResponse>((done) => admin.PrepareX509Authority({}, done)).then(
        preparedIn,
      ),
    activate: (authority_id: string) =>
      call((done) => admin.ActivateX509Authority({ authority_id }, done)),
    taint: (authority_id: string) =>
      call((done) => admin.TaintX509Authority({ authority_id }, done)),
    revoke: (authority_id: string) =>
      call((done) => admin.RevokeX509Authority({ authority_id }, done)),
  },
  JWT: {
    state: () =>
      call<GetX509AuthorityStateResponse>((done) => admin.GetJWTAuthorityState({}, done)),
    prepare: () =>
      call<PrepareX509AuthorityResponse>((done) => admin.PrepareJWTAuthority({}, done)).then(
        preparedIn,
      ),
    activate: (authority_id: string) =>
      call((done) => admin.ActivateJWTAuthority({ authority_id }, done)),
    taint: (authority_id: string) =>
      call((done) => admin.TaintJWTAuthority({ authority_id }, done)),
    revoke: (authority_id: string) =>
      call((done) => admin.RevokeJWTAuthority({ authority_id }, done)),
  },
}

type Kind = keyof typeof KINDS
const bothKinds: readonly Kind[] = ['X.509', 'JWT']

const bundleOf = async (clients: Clients) =>
  fromWireBundle(await call<Bundle>((done) => clients.bundle.GetBundle({}, done)))

/** ID and flag of every authority of a kind, as anybody may read them. */
async function published(kind: Kind): Promise<Record<string, boolean>> {
  const { x509Authorities, jwtAuthorities } = await bundleOf(server.admin)
  return Object.fromEntries(
    kind === 'X.509'
      ? x509Authorities.map(({ der, tainted }) => [authorityIdOf(der), tainted])
      : jwtAuthorities.map(({ keyId, tainted }) => [keyId, tainted]),
  )
}

test.for(bothKinds)(
  '%s: prepare, activate, taint and revoke replace an authority',
  async (kind) => {
    const { state, prepare, activate, taint, revoke } = KINDS[kind]
    const { active: first, prepared, old } = await state()
    expect({ prepared, old }).toEqual({ prepared: null, old: null })
    const firstId = first?.authority_id ?? expect.unreachable()
    expect(first?.expires_at).toBeGreaterThan(0)

    const second = await prepare()
    const secondId = second.authority_id
    expect(await state()).toMatchObject({ active: first, prepared: second, old: null })
    expect(await published(kind)).toEqual({ [firstId]: false, [secondId]: false })

    expect(await activate(secondId)).toEqual({ activated_authority: second })
    expect(await state()).toMatchObject({ active: second, prepared: null, old: first })

    const tainted = { authority_id: firstId, expires_at: kind === 'JWT' ? 0 : first?.expires_at }
    expect(await taint(firstId)).toMatchObject({ tainted_authority: tainted })
    expect(await published(kind)).toEqual({ [firstId]: true, [secondId]: false })

    expect(await revoke(firstId)).toMatchObject({ revoked_authority: { authority_id: firstId } })
    expect(await published(kind)).toEqual({ [secondId]: false })
    expect(await state()).toMatchObject({ active: second, prepared: null, old: null })
  },
)

test.for(bothKinds)('%s: what SPIRE refuses is refused, in its words', async (kind) => {
  const { state, prepare, activate, taint, revoke } = KINDS[kind]
  const activeId = (await state()).active?.authority_id ?? expect.unreachable()
  const next = await prepare()
  const invalid = (details: string) => ({ code: status.INVALID_ARGUMENT, details })
  await expect(activate('')).rejects.toMatchObject(invalid('no authority ID provided'))
  await expect(activate('nope')).rejects.toMatchObject(invalid('unexpected authority ID'))
  await expect(activate(activeId)).rejects.toMatchObject(invalid('unexpected authority ID'))
  await expect(taint('')).rejects.toMatchObject(invalid('no authority ID provided'))
  await expect(taint(activeId)).rejects.toMatchObject(
    invalid('unable to taint current local authority'),
  )
  await expect(taint(next.authority_id)).rejects.toMatchObject(
    invalid(
      'only Old local authorities can be tainted: unsupported local authority status: PREPARED',
    ),
  )
  await expect(revoke(activeId)).rejects.toMatchObject(
    invalid('invalid authority ID: unable to use current authority'),
  )
  await activate(next.authority_id)
  await expect(activate(activeId)).rejects.toMatchObject({
    code: status.INTERNAL,
    details: 'only Prepared authorities can be activated: unsupported local authority status: OLD',
  })
  await expect(revoke(activeId)).rejects.toMatchObject({
    code: status.INTERNAL,
    details: expect.stringMatching(/^failed to revoke .* authority: it is not possible to revoke /),
  })
  expect(Object.values(await published(kind))).toEqual([false, false])
})

test('JWT calls are not served while JWT-SVIDs are disabled, X.509 calls are', async () => {
  await using other = await startTestServer({ config: { disableJwtSvids: true } })
  const { localAuthority } = other.admin
  const refused = { code: status.UNIMPLEMENTED, details: 'JWT functionality is disabled' }
  await expect(call((done) => localAuthority.GetJWTAuthorityState({}, done))).rejects.toMatchObject(
    refused,
  )
  await expect(call((done) => localAuthority.PrepareJWTAuthority({}, done))).rejects.toMatchObject(
    refused,
  )
  await expect(
    call((done) => localAuthority.RevokeJWTAuthority({ authority_id: 'a' }, done)),
  ).rejects.toMatchObject(refused)
  await call((done) => localAuthority.GetX509AuthorityState({}, done))
})

test('nothing is known of upstream authorities and of WIT-SVIDs', async () => {
  const noUpstream = {
    code: status.FAILED_PRECONDITION,
    details: 'upstream authority is not configured',
  }
  const subject_key_id = 'aa'
  await expect(
    call((done) => admin.TaintX509UpstreamAuthority({ subject_key_id }, done)),
  ).rejects.toMatchObject(noUpstream)
  await expect(
    call((done) => admin.RevokeX509UpstreamAuthority({ subject_key_id }, done)),
  ).rejects.toMatchObject(noUpstream)
  const noWit = {
    code: status.UNIMPLEMENTED,
    details: 'WIT-SVID functionality is not yet implemented',
  }
  for (const start of [
    call((done) => admin.GetWITAuthorityState({}, done)),
    call((done) => admin.PrepareWITAuthority({}, done)),
    call((done) => admin.ActivateWITAuthority({}, done)),
    call((done) => admin.TaintWITAuthority({}, done)),
    call((done) => admin.RevokeWITAuthority({}, done)),
  ]) {
    await expect(start).rejects.toMatchObject(noWit)
  }
})

test('nobody without standing may touch the authorities over TCP', async () => {
  const { certificate } = await server.attest()
  for (const clients of [await server.connect(), await server.connect(certificate)]) {
    await expect(
      call((done) => clients.localAuthority.PrepareX509Authority({}, done)),
    ).rejects.toMatchObject({ code: status.PERMISSION_DENIED })
  }
})

test('watching agents hear of a taint, and those who have not rotated lose the stream with the revocation', async () => {
  const { certificate } = await server.attest()
  const { sync } = await server.connect(certificate)
  const messages = messagesOf<WatchResponse>(sync.Watch({}))
  const nextBundle = async () => {
    for (;;) {
      const { value, done } = await messages.next()
      if (done) throw new Error('the stream ended')
      if (value.bundle !== null) return fromWireBundle(value.bundle)
    }
  }
  const taints = async () => (await nextBundle()).x509Authorities.map(({ tainted }) => tainted)
  expect(await taints()).toEqual([false])
  const { state, prepare, activate, taint, revoke } = KINDS['X.509']
  const old = (await state()).active?.authority_id ?? expect.unreachable()
  const next = await prepare()
  expect(await taints()).toEqual([false, false])
  await activate(next.authority_id)
  await taint(old)
  expect(await taints()).toEqual([true, false])
  await revoke(old)
  await expect(taints()).rejects.toMatchObject({ code: status.UNAUTHENTICATED })
})
