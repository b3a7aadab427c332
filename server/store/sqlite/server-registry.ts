/** The same port in SQLite, for the contract: one server has the file, and nothing writes here while it runs. */

import { ledgerKeyOf } from '../ledger-key.ts'
import {
  MAX_QUESTIONS,
  MAX_SERVERS,
  QUESTION_KEPT_MS,
  type RegisteredServer,
  type ServerQuestion,
  type ServerRegistry,
} from '../server-registry.ts'
import type { SqliteDeps } from './sqlite-deps.ts'

interface ServerRow {
  readonly server_key: string
  readonly incarnation: string
  readonly document: string
  readonly seen_at_ms: number
}

export function serverRegistry({ connection, queue, clock }: SqliteDeps): ServerRegistry {
  const nowMs = () => clock.now().getTime()
  return {
    list: () =>
      connection.read(() =>
        connection
          .all<ServerRow>(
            'select server_key, incarnation, document, seen_at_ms from servers order by server_key limit ?',
            MAX_SERVERS,
          )
          .map((row) => toServer(row, nowMs())),
      ),
    enter: (key, incarnation, document, after) =>
      queue.write(() => {
        const values = [incarnation, document, nowMs(), key] as const
        return after === undefined
          ? connection.run(
              `insert into servers (incarnation, document, seen_at_ms, server_key)
                values (?, ?, ?, ?) on conflict (server_key) do nothing`,
              ...values,
            ).changes > 0
          : connection.run(`${BEAT} and incarnation = ?`, ...values, after).changes > 0
      }),
    beat: (key, incarnation, document) =>
      queue.write(
        () =>
          connection.run(
            `${BEAT} and incarnation = ?`,
            ...([incarnation, document, nowMs(), key, incarnation] as const),
          ).changes > 0,
      ),
    leave: (key, incarnation) =>
      queue.write(() => {
        const left = `update servers set incarnation = '' where server_key = ? and incarnation = ?`
        connection.run(left, key, incarnation)
      }),
    forget: (key, incarnation) =>
      queue.write(() => {
        const removed = 'delete from servers where server_key = ? and incarnation = ?'
        if (connection.run(removed, key, incarnation).changes === 0) return false
        connection.run('delete from server_questions where server_key = ?', key)
        const journals = 'delete from ca_journals where server_key = ? or server_key = ?'
        connection.run(journals, key, ledgerKeyOf(key))
        return true
      }),
    ...questions({ connection, queue, nowMs }),
  }
}

const BEAT = 'update servers set incarnation = ?, document = ?, seen_at_ms = ? where server_key = ?'

function toServer(
  { server_key, incarnation, document, seen_at_ms }: ServerRow,
  nowMs: number,
): RegisteredServer {
  return { key: server_key, incarnation, document, seenMsAgo: nowMs - seen_at_ms }
}

function questions({
  connection,
  queue,
  nowMs,
}: Pick<SqliteDeps, 'connection' | 'queue'> & { nowMs(): number }): Pick<
  ServerRegistry,
  'ask' | 'unanswered' | 'answer' | 'answers'
> {
  return {
    ask: (asked) =>
      queue.write(() => {
        const now = nowMs()
        connection.run('delete from server_questions where asked_at_ms < ?', now - QUESTION_KEPT_MS)
        for (const { id, to, text } of asked) {
          connection.run(
            'insert into server_questions (id, server_key, question, asked_at_ms) values (?, ?, ?, ?)',
            ...([id, to, text, now] as const),
          )
        }
      }),
    unanswered: (key) =>
      connection.read(() =>
        connection.all<ServerQuestion>(
          `select id, server_key as "to", question as text from server_questions
            where server_key = ? and answer is null and asked_at_ms >= ?
            order by asked_at_ms, id limit ?`,
          key,
          nowMs() - QUESTION_KEPT_MS,
          MAX_QUESTIONS,
        ),
      ),
    answer: (id, text) =>
      queue.write(() => {
        connection.run('update server_questions set answer = ? where id = ?', text, id)
      }),
    answers: (ids) =>
      connection.read(() => {
        const sql = 'select answer from server_questions where id = ? and answer is not null'
        const found = ids.slice(0, MAX_QUESTIONS).flatMap((id) => {
          const row = connection.one<{ readonly answer: string }>(sql, id)
          return row === undefined ? [] : [[id, row.answer] as const]
        })
        return new Map(found)
      }),
  }
}
