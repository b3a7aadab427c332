/** Tells how a guided rotation goes: as lines for people, or as one JSON document on each line. */
import type { GetProgressResponse } from '../../proto/gen/steeple/server/authority/v1/GetProgressResponse.ts'
import type { Standing } from '../../proto/gen/steeple/server/authority/v1/Standing.ts'
import type { OutputFormat } from '../flag/kinds.ts'
import type { Json } from '../output/go-json.ts'
import { printJson } from '../output/print.ts'
import type { Terminal } from '../terminal.ts'
import type { RotatedKind } from './authority-calls.ts'
import type { Decision, Step } from './rotation-step.ts'
import { DONE, decisionText, doneText, statusText } from './rotation-text.ts'

export interface RotationReport {
  /** @param decision undefined when it is not clear which authority is to go */
  status(progress: GetProgressResponse, decision: Decision | undefined): void
  begin(target: string): void
  took(step: Step, authorityId: string): void
  /** Said again only when something about it has changed. */
  waiting(decision: Decision & { kind: 'wait' }): void
  done(why: (Decision & { kind: 'done' })['why']): void
  stopped(target: string): void
}

const NAMES = { x509: 'X.509', jwt: 'JWT' } as const

export function reporter(
  kind: RotatedKind,
  output: OutputFormat | undefined,
  terminal: Terminal,
): RotationReport {
  return output === 'json' ? jsonReporter(terminal) : textReporter(kind, terminal)
}

function textReporter(kind: RotatedKind, terminal: Terminal): RotationReport {
  let said = ''
  const again = (target: string) => `steeple authority rotate ${kind} -yes -authorityID ${target}`
  return {
    status(progress, decision) {
      terminal.print(statusText(NAMES[kind], progress))
      if (decision !== undefined) terminal.print(decisionText(decision))
    },
    begin: (target) =>
      terminal.print(
        `Replacing ${NAMES[kind]} authority ${target}\nAfter an interruption go on with: ${again(target)}\n`,
      ),
    took: (step, id) => terminal.print(`${DONE[step]} ${NAMES[kind]} authority ${id}\n`),
    waiting(decision) {
      const text = decisionText(decision)
      if (text !== said) terminal.print(text)
      said = text
    },
    done: (why) => terminal.print(doneText(why)),
    stopped: (target) => terminal.print(`Stopped; go on with: ${again(target)}\n`),
  }
}

function jsonReporter(terminal: Terminal): RotationReport {
  let said = ''
  const print = (document: Json) => printJson(terminal, document)
  return {
    status: (progress, decision) => print(statusJson(progress, decision)),
    begin: (target) => print({ event: 'begin', target_authority_id: target }),
    took: (step, id) => print({ event: 'step', step, authority_id: id }),
    waiting(decision) {
      const document = decisionJson(decision)
      const text = JSON.stringify(document)
      if (text !== said) print(document)
      said = text
    },
    done: (why) => print({ event: 'done', why }),
    stopped: (target) => print({ event: 'stopped', target_authority_id: target }),
  }
}

function statusJson(progress: GetProgressResponse, decision: Decision | undefined): Json {
  const { active, prepared, old, follower_count, expired_agent_count, has_upstream } = progress
  return {
    ...{ active: standingJson(active), prepared: standingJson(prepared), old: standingJson(old) },
    ...{ follower_count, expired_agent_count, has_upstream },
    next: decision === undefined ? null : decisionJson(decision),
  }
}

export function decisionJson(decision: Decision): Json {
  switch (decision.kind) {
    case 'take':
      return { event: 'next', step: decision.step, authority_id: decision.authorityId }
    case 'wait': {
      const { reason, standing } = decision
      return { event: 'waiting', reason, ...standingMembers(standing) }
    }
    case 'done':
      return { event: 'done', why: decision.why }
    default:
      return decision satisfies never
  }
}

export function standingJson(standing: Standing | null): Json {
  return standing === null ? null : standingMembers(standing)
}

function standingMembers({ behind, uses, ...plain }: Standing) {
  return {
    ...plain,
    behind: behind.map((one) => ({ ...one })),
    uses: uses.map((one) => ({ ...one })),
  }
}
