/** The servers that share the store, in PostgreSQL. Who was seen when is told by the clock of the database. */

import { ledgerKeyOf } from '../ledger-key.ts'
import {
  MAX_QUESTIONS,
  MAX_SERVERS,
  QUESTION_KEPT_MS,
  type ServerQuestion,
  type ServerRegistry,
} from '../server-registry.ts'
import type { PostgresDeps } from './postgres-deps.ts'

/** Of the statement, not of the transaction: a write may have waited for others of its group. */
const NOW_MS = '(extract(epoch from clock_timestamp()) * 1000)::bigint'

interface ServerRow {
  readonly server_key: string
  readonly incarnation: string
  readonly document: string
  readonly seen_ms_ago: number
}

export function serverRegistry({
  connection,
  queue,
}: Pick<PostgresDeps, 'connection' | 'queue'>): ServerRegistry {
  return {
    async list() {
      const rows = await connection.reads.all<ServerRow>(
        `select server_key, incarnation, document, ${NOW_MS} - seen_at_ms as seen_ms_ago
          from servers order by server_key limit $1::bigint`,
        MAX_SERVERS,
      )
      return rows.map(({ server_key: key, incarnation, document, seen_ms_ago: seenMsAgo }) => {
        return { key, incarnation, document, seenMsAgo }
      })
    },
    enter: (key, incarnation, document, after) =>
      queue.write([], async (session) => {
        if (after !== undefined)
          return (await session.run(BEAT, key, incarnation, document, after)) > 0
        const added = await session.run(
          `insert into servers (server_key, incarnation, document, seen_at_ms)
            values ($1, $2, $3, ${NOW_MS}) on conflict (server_key) do nothing`,
          ...([key, incarnation, document] as const),
        )
        return added > 0
      }),
    beat: (key, incarnation, document) =>
      queue.write(
        [],
        async (session) => (await session.run(BEAT, key, incarnation, document, incarnation)) > 0,
      ),
    leave: (key, incarnation) =>
      queue.write([], async (session) => {
        const left = `update servers set incarnation = '' where server_key = $1 and incarnation = $2`
        await session.run(left, key, incarnation)
      }),
    forget: (key, incarnation) =>
      queue.write([], async (session) => {
        const removed = 'delete from servers where server_key = $1 and incarnation = $2'
        if ((await session.run(removed, key, incarnation)) === 0) return false
        await session.run('delete from server_questions where server_key = $1', key)
        const journals = 'delete from ca_journals where server_key = $1 or server_key = $2'
        await session.run(journals, key, ledgerKeyOf(key))
        return true
      }),
    ...questions({ connection, queue }),
  }
}

const BEAT = `update servers set incarnation = $2, document = $3, seen_at_ms = ${NOW_MS}
  where server_key = $1 and incarnation = $4`

function questions({
  connection,
  queue,
}: Pick<PostgresDeps, 'connection' | 'queue'>): Pick<
  ServerRegistry,
  'ask' | 'unanswered' | 'answer' | 'answers'
> {
  return {
    ask: (asked) =>
      queue.write([], async (session) => {
        await session.run(
          `delete from server_questions where asked_at_ms < ${NOW_MS} - $1::bigint`,
          QUESTION_KEPT_MS,
        )
        for (const { id, to, text } of asked.slice(0, MAX_QUESTIONS)) {
          await session.run(
            `insert into server_questions (id, server_key, question, asked_at_ms)
              values ($1, $2, $3, ${NOW_MS})`,
            ...([id, to, text] as const),
          )
        }
      }),
    unanswered: (key) =>
      connection.reads.all<ServerQuestion>(
        `select id, server_key as "to", question as text from server_questions
          where server_key = $1 and answer is null
            and asked_at_ms >= ${NOW_MS} - ${QUESTION_KEPT_MS} order by asked_at_ms, id limit $2::bigint`,
        key,
        MAX_QUESTIONS,
      ),
    answer: (id, text) =>
      queue.write([], async (session) => {
        await session.run('update server_questions set answer = $2 where id = $1', id, text)
      }),
    async answers(ids) {
      const rows = await connection.reads.all<{ readonly id: string; readonly answer: string }>(
        `select id, answer from server_questions
          where id in (select json_array_elements_text($1::json)) and answer is not null`,
        JSON.stringify(ids.slice(0, MAX_QUESTIONS)),
      )
      return new Map(rows.map(({ id, answer }) => [id, answer]))
    },
  }
}
