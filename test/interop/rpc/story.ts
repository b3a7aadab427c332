/** Requests in order, told to both servers alike; what they answer is compared after each of them. */
import type { Message } from './methods.ts'
import { type Aliases, type Difference, differencesOf, settle } from './settle.ts'
import type { Outcome, Request, Respond } from './wire-call.ts'
import type { World } from './world.ts'

/** A value that an earlier answer of the same server gave. */
export type Recall = (name: string) => unknown

/** A difference that is meant. */
export interface Accepted {
  /** The value that differs, e.g. `message` or `replies.0.results.1.status.message`. */
  readonly at: string
  readonly why: string
  /** Both texts begin with it all the same. */
  readonly prefix?: string
}

export interface Step {
  /** `local`, unless told otherwise. */
  readonly as?: string
  /** E.g. `Entry/GetEntry`. */
  readonly call: string
  /** A list of messages for a stream, all sent at once. */
  readonly with?: Request | readonly Request[] | ((recall: Recall) => Request | readonly Request[])
  /** Answers to what a stream brings. */
  readonly respond?: Respond
  /** Values to recall later. */
  readonly keep?: Readonly<Record<string, (reply: Message) => unknown>>
  /** What follows from the answer, e.g. another caller. */
  readonly after?: (outcome: Outcome, world: World) => Promise<void>
  /** Repeats the call until this holds: the server works in the background. */
  readonly until?: (outcome: Outcome) => boolean
  /** The list of a reply that has no order: its items are compared by ID or trust domain. */
  readonly inAnyOrder?: string
  /** What is compared of the outcome, where not all of it. */
  readonly told?: (outcome: Outcome) => Outcome
  readonly differs?: readonly Accepted[]
}

/** The same step, where these values are meant to differ. */
export function differing(step: Step, at: readonly string[], why: string, prefix?: string): Step {
  const more = at.map(
    (one): Accepted => ({ at: one, why, ...(prefix === undefined ? {} : { prefix }) }),
  )
  return { ...step, differs: [...(step.differs ?? []), ...more] }
}

/** One server's side of a story, with what it has said so far. */
export interface Teller {
  readonly world: World
  readonly aliases: Aliases
  readonly kept: Map<string, unknown>
  /** The gRPC status numbers that each method has answered. */
  readonly answered: Map<string, number[]>
}

const POLL_MS = 100
const MAX_POLLS = 300

/** @returns every difference that is not accepted, and every accepted one that did not show, as text */
export async function tellStory(
  steps: readonly Step[],
  theirs: Teller,
  ours: Teller,
  pause: (ms: number) => Promise<void>,
): Promise<readonly string[]> {
  const faults: string[] = []
  for (const step of steps) {
    const [their, our] = await Promise.all([tell(step, theirs, pause), tell(step, ours, pause)])
    const found = judge(step, differencesOf(their, our))
    if (found.length > 0) faults.push(`${titleOf(step)}\n${found.join('\n')}`)
  }
  return faults
}

async function tell(
  step: Step,
  { world, aliases, kept, answered }: Teller,
  pause: (ms: number) => Promise<void>,
): Promise<Message> {
  const recall: Recall = (name) => {
    if (!kept.has(name)) throw new Error(`${world.kind} has given no ${name}`)
    return kept.get(name)
  }
  const given = typeof step.with === 'function' ? step.with(recall) : (step.with ?? {})
  // Cast: narrowing an array of requests out of the union is beyond Array.isArray.
  const requests = (Array.isArray(given) ? given : [given]) as readonly Request[]
  const ask = () => world.call(step.as ?? 'local', step.call, requests, step.respond)
  let outcome = await ask()
  for (let polls = 0; step.until?.(outcome) === false; polls++) {
    if (polls === MAX_POLLS) throw new Error(`${world.kind} never came to it: ${titleOf(step)}`)
    await pause(POLL_MS)
    outcome = await ask()
  }
  answered.set(step.call, [...(answered.get(step.call) ?? []), outcome.code])
  const [reply = {}] = outcome.replies
  for (const [name, read] of Object.entries(step.keep ?? {})) {
    if (outcome.code === 0) kept.set(name, read(reply))
  }
  await step.after?.(outcome, world)
  const told = step.told?.(outcome) ?? outcome
  return settle(step.inAnyOrder === undefined ? told : ordered(told, step.inAnyOrder), aliases)
}

const nameOf = ({ id, trust_domain }: Message) => String(id ?? trust_domain)

function ordered(outcome: Outcome, list: string): Outcome {
  const byId = (one: Message, other: Message) => nameOf(one).localeCompare(nameOf(other))
  const replies = outcome.replies.map((reply) => {
    const items = reply[list]
    // Cast: a list of messages, by the step that names it.
    return Array.isArray(items) ? { ...reply, [list]: (items as Message[]).toSorted(byId) } : reply
  })
  return { ...outcome, replies }
}

function judge({ differs = [] }: Step, differences: readonly Difference[]): readonly string[] {
  const isMeant = ({ at, theirs, ours }: Difference) =>
    differs.some(
      (accepted) =>
        accepted.at === at &&
        [theirs, ours].every((text) => String(text).startsWith(accepted.prefix ?? '')),
    )
  const unmeant = differences.filter((difference) => !isMeant(difference))
  const unseen = differs.filter((accepted) => !differences.some(({ at }) => at === accepted.at))
  return [
    ...unmeant
      .slice(0, MAX_SHOWN)
      .map(
        ({ at, theirs, ours }) => `  ${at}\n    theirs: ${say(theirs)}\n    ours:   ${say(ours)}`,
      ),
    ...unseen.map(
      ({ at, why }) => `  ${at} does not differ any more; it was accepted because ${why}`,
    ),
  ]
}

const MAX_SHOWN = 8
const MAX_SAID = 400

function say(value: unknown): string {
  return (JSON.stringify(value) ?? 'nothing').slice(0, MAX_SAID)
}

function titleOf({ as = 'local', call, with: given }: Step): string {
  return `${as}: ${call} ${typeof given === 'function' ? '…' : say(given ?? {}).slice(0, 300)}`
}
