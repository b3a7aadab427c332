/** Tells how a guided rotation of all servers goes: as lines for people, or as one JSON document on each line. */
import type { GetOverviewResponse } from '../../proto/gen/steeple/server/authority/v1/GetOverviewResponse.ts'
import type { OutputFormat } from '../flag/kinds.ts'
import { printJson } from '../output/print.ts'
import type { Terminal } from '../terminal.ts'
import type { RotatedKind } from './authority-calls.ts'
import { decisionJson, standingJson } from './report-rotation.ts'
import { keyOf, nameOf, type Part } from './rotation-of-all.ts'
import type { Step } from './rotation-step.ts'
import { DONE, decisionText, doneText, slotText, statusText } from './rotation-text.ts'

export interface AllReport {
  status(overview: GetOverviewResponse, parts: readonly Part[]): void
  begin(targets: readonly string[]): void
  took(step: Step, authorityId: string, serverKey: string): void
  discarded(authorityId: string, serverKey: string): void
  /** Said again only when something about it has changed. */
  waiting(parts: readonly Part[]): void
  done(parts: readonly Part[]): void
  stopped(targets: readonly string[]): void
  said(sentence: string): void
}

const NAMES = { x509: 'X.509', jwt: 'JWT' } as const

export function reportOfAll(
  kind: RotatedKind,
  { output, without }: { output: OutputFormat | undefined; without: readonly string[] },
  terminal: Terminal,
): AllReport {
  return output === 'json' ? jsonReport(terminal) : textReport(kind, without, terminal)
}

function textReport(kind: RotatedKind, without: readonly string[], terminal: Terminal): AllReport {
  let said = ''
  const print = (text: string) => terminal.print(text)
  const left = without.map((key) => ` -without ${key}`).join('')
  const again = (targets: readonly string[]) =>
    `steeple authority rotate ${kind} -yes -authorityID ${targets.join(',')}${left}`
  const textOf = (parts: readonly Part[]) =>
    [...new Set(parts.map(({ decision }) => decisionText(decision)))].join('')
  return {
    status(overview, parts) {
      for (const one of overview.servers) {
        const state = one.server?.state.toLowerCase() ?? 'unknown'
        print(`${nameOf(one)}, ${state}\n`)
        print(statusText(NAMES[kind], { ...overview, ...one }))
      }
      for (const one of overview.others) {
        print(slotText(`${NAMES[kind]} authority of no server`, one, overview.follower_count))
      }
      print(textOf(parts))
    },
    begin: (targets) =>
      print(
        `Replacing ${targets.length} ${NAMES[kind]} authorities: ${targets.join(', ')}\nAfter an interruption go on with: ${again(targets)}\n`,
      ),
    took: (step, id, key) => print(`${DONE[step]} ${NAMES[kind]} authority ${id}${at(key)}\n`),
    discarded: (id, key) => print(`Took back the prepared authority ${id}${at(key)}\n`),
    waiting(parts) {
      const text = textOf(parts)
      if (text !== said) print(text)
      said = text
    },
    done(parts) {
      const why = parts.flatMap(({ decision }) => (decision.kind === 'done' ? decision.why : []))
      for (const one of new Set(why)) print(doneText(one))
    },
    stopped: (targets) => print(`Stopped; go on with: ${again(targets)}\n`),
    said: (sentence) => print(`${sentence}\n`),
  }
}

const at = (key: string) => (key === '' ? '' : ` at server ${key}`)

function jsonReport(terminal: Terminal): AllReport {
  let said = ''
  const print = (document: Parameters<typeof printJson>[1]) => printJson(terminal, document)
  const jsonOf = ({ target, serverKey, decision }: Part) => ({
    ...{ target_authority_id: target, server_key: serverKey, decision: decisionJson(decision) },
  })
  return {
    status({ servers, others, follower_count, expired_agent_count, has_upstream }, parts) {
      print({
        servers: servers.map((one) => ({
          ...{ key: keyOf(one), state: one.server?.state ?? '', activation: one.activation },
          ...{ active: standingJson(one.active), prepared: standingJson(one.prepared) },
          old: standingJson(one.old),
        })),
        ...{ others: others.map(standingJson), follower_count, expired_agent_count, has_upstream },
        next: parts.map(jsonOf),
      })
    },
    begin: (targets) => print({ event: 'begin', target_authority_ids: [...targets] }),
    took: (step, id, key) => print({ event: 'step', step, authority_id: id, server_key: key }),
    discarded: (id, key) => print({ event: 'discarded', authority_id: id, server_key: key }),
    waiting(parts) {
      const document = { event: 'waiting', for: parts.map(jsonOf) }
      const text = JSON.stringify(document)
      if (text !== said) print(document)
      said = text
    },
    done: (parts) => print({ event: 'done', authorities: parts.map(jsonOf) }),
    stopped: (targets) => print({ event: 'stopped', target_authority_ids: [...targets] }),
    said: (sentence) => print({ event: 'said', sentence }),
  }
}
