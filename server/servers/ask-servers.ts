/** Asks other servers through the store, and waits for their answers, but not for ever: one of them may be dying. */
import { randomUUID } from 'node:crypto'
import type { Clock } from '../../spiffe/clock.ts'
import type { ServerRegistry } from '../store/server-registry.ts'
import { encodeQuestion, type Question } from './question.ts'

export interface AskDeps {
  readonly registry: Pick<ServerRegistry, 'ask' | 'answers'>
  readonly clock: Clock
}

/** Well over a beat, so that a busy server answers, and well below the patience of who runs a command. */
const ANSWER_MS = 8_000
const LOOK_MS = 200

/** @returns the answers by the keys of the servers; one that did not answer in time has none */
export async function askServers(
  { registry, clock }: AskDeps,
  to: readonly string[],
  question: Question,
): Promise<ReadonlyMap<string, string>> {
  if (to.length === 0) return new Map()
  const text = encodeQuestion(question)
  const questions = to.map((key) => ({ id: randomUUID(), to: key, text }))
  await registry.ask(questions)
  const until = clock.now().getTime() + ANSWER_MS
  const ids = questions.map(({ id }) => id)
  let answers = await registry.answers(ids)
  while (answers.size < ids.length && clock.now().getTime() < until) {
    await clock.sleep(LOOK_MS)
    answers = await registry.answers(ids)
  }
  const byKey = questions.flatMap(({ id, to: key }) => {
    const answer = answers.get(id)
    return answer === undefined ? [] : [[key, answer] as const]
  })
  return new Map(byKey)
}
