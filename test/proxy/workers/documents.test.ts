import { expect, test } from 'vitest'
import { askForDocuments, shareDocuments } from '../../../proxy/workers/documents.ts'
import { IdentityError } from '../../../spiffe/error.ts'
import { FakeClock } from '../../fakes/clock.ts'

const question = { kind: 'fetch', id: 1, ca: undefined, timeoutMs: 1_000 } as const
const forever = new AbortController().signal

test('those who ask for the same at once get one answer, and who asks later a newer one', async () => {
  const clock = new FakeClock()
  let fetched = 0
  const ask = shareDocuments(async (url) => `${url} ${++fetched}`, clock, forever)
  const answers = await Promise.all([1, 2, 3].map((id) => ask({ ...question, id, url: 'a' })))
  expect(answers).toEqual([1, 2, 3].map(() => ({ kind: 'text', text: 'a 1' })))
  expect(await ask({ ...question, url: 'b' })).toEqual({ kind: 'text', text: 'b 2' })
  clock.advance(10_000)
  expect(await ask({ ...question, url: 'a' })).toEqual({ kind: 'text', text: 'a 3' })
})

test('a failure is told to all who wait for it, and the next question is asked again', async () => {
  const clock = new FakeClock()
  const failing = async () => {
    throw new IdentityError('UNAVAILABLE', 'it answered 500, expected 200')
  }
  const ask = shareDocuments(failing, clock, forever)
  const failed = { kind: 'failed', code: 'UNAVAILABLE', message: 'it answered 500, expected 200' }
  expect(await ask({ ...question, url: 'a' })).toEqual(failed)
  expect(await ask({ ...question, url: 'a' })).toEqual(failed)
})

test('what is no refusal but a bug is told without its words', async () => {
  const bug = async () => {
    throw new Error('a stack of our own')
  }
  const ask = shareDocuments(bug, new FakeClock(), forever)
  expect(await ask({ ...question, url: 'a' })).toMatchObject({
    ...{ code: 'UNAVAILABLE', message: 'cannot fetch a' },
  })
})

test('a worker gets the answer to its own question, and none after it has given up', async () => {
  const sent: number[] = []
  const documents = askForDocuments(({ id }) => void sent.push(id))
  const options = { ca: undefined, timeoutMs: 1_000 }
  const stop = new AbortController()
  const first = documents.fetch('a', { ...options, signal: forever })
  const second = documents.fetch('b', { ...options, signal: stop.signal })
  const third = documents.fetch('c', { ...options, signal: forever })
  stop.abort()
  documents.answered(3, { kind: 'failed', code: 'UNAVAILABLE', message: 'gone' })
  documents.answered(1, { kind: 'text', text: 'one' })
  documents.answered(2, { kind: 'text', text: 'too late' })
  documents.answered(99, { kind: 'text', text: 'to nobody' })
  expect(await first).toBe('one')
  await expect(second).rejects.toMatchObject({ code: 'CANCELED' })
  await expect(third).rejects.toMatchObject({ code: 'UNAVAILABLE', message: 'gone' })
  expect(sent).toEqual([1, 2, 3])
})
