/**
 * The same requests, right and wrong, as raw gRPC to a real spire-server and to ours: status code, message, details and
 * every field of the answers must be the same, but for what `rpc/settle.ts` puts away by rule and what a step of a
 * story accepts with its reason.
 */
import { afterAll, expect } from 'vitest'
import { systemClock } from '../../spiffe/clock.ts'
import type { Kind } from '../processes/cluster.ts'
import { interop } from './interop.ts'
import {
  ATTESTATION,
  FIND_AGENTS,
  JOIN_TOKENS,
  REMOVE_AGENTS,
  RENEW_AGENT,
} from './rpc/agent-stories.ts'
import { AUTHORIZATION } from './rpc/authorization-stories.ts'
import { CERTIFICATES } from './rpc/certificate-stories.ts'
import { CHANGE_ENTRIES } from './rpc/change-entry-stories.ts'
import { CREATE_ENTRIES } from './rpc/create-entry-stories.ts'
import { FEDERATED_BUNDLES } from './rpc/federated-bundle-stories.ts'
import { FEDERATION } from './rpc/federation-stories.ts'
import { FIND_ENTRIES } from './rpc/find-entry-stories.ts'
import { attestorBlocks } from './rpc/machine.ts'
import { PUBLIC_KEYS } from './rpc/material.ts'
import { METHOD_NAMES } from './rpc/methods.ts'
import { AUTHORITIES, RUNNING_SERVER } from './rpc/operator-stories.ts'
import { OWN_BUNDLE } from './rpc/own-bundle-stories.ts'
import { OTHER_SETTINGS, SETTINGS } from './rpc/settings-stories.ts'
import { createAliases } from './rpc/settle.ts'
import { type Step, type Teller, tellStory } from './rpc/story.ts'
import { DOWNSTREAM, MANY_ENTRIES, MINT, NEW_SVIDS } from './rpc/svid-stories.ts'
import { WIRE } from './rpc/wire-stories.ts'
import { openWorld } from './rpc/world.ts'

const attestors = attestorBlocks()
type Tellers = readonly [Teller, Teller]

async function openTellers(settings?: string): Promise<Tellers> {
  const open = async (kind: Kind): Promise<Teller> => ({
    world: await openWorld(kind, attestors.text, settings),
    aliases: createAliases(PUBLIC_KEYS),
    kept: new Map(),
    answered: new Map(),
  })
  return await Promise.all([open('spire'), open('steeple')])
}

async function close(tellers: Tellers): Promise<void> {
  for (const { world } of tellers) await world[Symbol.asyncDispose]()
}

let opened: Promise<Tellers> | undefined

/** Both servers, started when the first story begins and used by all of them: state adds up alike on both sides. */
function shared(): Promise<Tellers> {
  opened ??= openTellers()
  return opened
}

afterAll(async () => {
  attestors[Symbol.dispose]()
  if (opened !== undefined) await close(await opened)
})

async function compare(steps: readonly Step[], [theirs, ours]: Tellers): Promise<void> {
  const faults = await tellStory(steps, theirs, ours, (ms) => systemClock.sleep(ms))
  expect(faults.join('\n\n')).toBe('')
}

function story(title: string, steps: readonly Step[]): void {
  interop(title, ['spire-server'], async () => {
    await compare(steps, await shared())
  })
}

story('entries are created and refused alike', CREATE_ENTRIES)
story('entries are found alike, by every filter and mask', FIND_ENTRIES)
story('entries are changed and deleted alike', CHANGE_ENTRIES)
story('who may call what is the same', AUTHORIZATION)
story('certificates are taken and refused alike', CERTIFICATES)
story('SVIDs are minted alike', MINT)
story('agents get SVIDs alike', NEW_SVIDS)
story('more entries than fit into a message are synchronized alike', MANY_ENTRIES)
story('downstream servers get CAs alike', DOWNSTREAM)
story('join tokens are made and used alike', JOIN_TOKENS)
story('nodes attest and are refused alike', ATTESTATION)
story('agents are found alike, by every filter and mask', FIND_AGENTS)
story('agents renew alike', RENEW_AGENT)
story('agents are banned and deleted alike', REMOVE_AGENTS)
story('the own bundle is read and added to alike', OWN_BUNDLE)
story('federated bundles are kept alike', FEDERATED_BUNDLES)
story('federation relationships are kept alike', FEDERATION)
story('log levels, health and state are told alike', RUNNING_SERVER)
story('authorities are rotated alike', AUTHORITIES)
story('what is no message, and what is not there, is refused alike', WIRE)

/** What neither server does without an upstream authority, WIT-SVIDs or an endpoint that answers. */
const NEVER_SERVED = /WIT|Upstream|^Health\/(List|Watch)$|^TrustDomain\/RefreshBundle$/
const MIN_REQUESTS = 1_000

interop(
  'the stories ask for every method, with and without success',
  ['spire-server'],
  async () => {
    for (const { answered } of await shared()) {
      const served = (name: string) => answered.get(name)?.includes(0) === true
      const refused = (name: string) => answered.get(name)?.some((code) => code !== 0) === true
      expect(METHOD_NAMES.filter((name) => !NEVER_SERVED.test(name) && !served(name))).toEqual([])
      expect(METHOD_NAMES.filter((name) => !refused(name))).toEqual([])
      expect([...answered.values()].flat().length).toBeGreaterThan(MIN_REQUESTS)
    }
  },
)

interop('other settings change the same answers in the same way', ['spire-server'], async () => {
  const tellers = await openTellers(OTHER_SETTINGS)
  try {
    await compare(SETTINGS, tellers)
  } finally {
    await close(tellers)
  }
})
