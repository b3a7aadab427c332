/** A plan for people, like a diff, and for scripts, as JSON. */
import type { Entry } from '../../../proto/gen/spire/api/types/Entry.ts'
import { idText } from '../../output/entry-text.ts'
import type { Json } from '../../output/go-json.ts'
import { type FieldValue, fieldsOf, isEmpty } from './entry-changes.ts'
import type { FilePlan } from './make-plan.ts'

/** Ends with one line that counts everything. */
export function planText({ declaration, plan }: FilePlan): string {
  const lines = [
    ...plan.delete.map((entry) => `- ${nameOf(entry)}\n`),
    ...plan.update.map(({ entry, changes }) => {
      const shown = changes.map(
        ({ field, from, to }) => `    ${field}: ${valueText(from)} -> ${valueText(to)}\n`,
      )
      return `~ ${nameOf(entry)}\n${shown.join('')}`
    }),
    ...plan.create.map((entry) => `+ ${nameOf(entry)}\n${fieldLines(entry)}`),
    ...plan.conflicts.map(
      ({ wanted, existing }) =>
        `! ${idText(wanted.spiffe_id)}: entry ${existing.id} has the same SPIFFE ID, parent and ` +
        `selectors and is not ${ownerOf(existing, declaration.owner)}\n`,
    ),
  ]
  const count = (entries: readonly unknown[], what: string) => `${entries.length} ${what}`
  const summary = [
    count(plan.create, 'to create'),
    count(plan.update, 'to update'),
    count(plan.delete, 'to delete'),
    count(plan.unchanged, 'unchanged'),
    ...(plan.conflicts.length === 0 ? [] : [count(plan.conflicts, 'in conflict')]),
    ...(plan.kept.length === 0 ? [] : [count(plan.kept, 'not in the file, deleted by -prune')]),
  ]
  return `${lines.join('')}${lines.length === 0 ? '' : '\n'}${summary.join(', ')}\n`
}

function ownerOf({ id }: Entry, owner: string): string {
  return id.startsWith(`${owner}.`) ? 'in the file: -prune would delete it' : `of owner ${owner}`
}

const nameOf = (entry: Entry) => `${entry.id} ${idText(entry.spiffe_id)}`

function fieldLines(entry: Entry): string {
  const shown = [...fieldsOf(entry)].filter(
    ([field, value]) => field !== 'spiffe_id' && !isEmpty(value),
  )
  return shown.map(([field, value]) => `    ${field}: ${valueText(value)}\n`).join('')
}

function valueText(value: FieldValue): string {
  if (typeof value === 'string') return value === '' ? '""' : value
  if (typeof value === 'number' || typeof value === 'boolean') return String(value)
  return `[${value.join(', ')}]`
}

/** Every list is there, even when it is empty. */
export function planJson({ declaration, plan }: FilePlan): { readonly [name: string]: Json } {
  const whole = (entry: Entry): Json => ({
    entry_id: entry.id,
    ...Object.fromEntries([...fieldsOf(entry)].filter(([, value]) => !isEmpty(value))),
  })
  const named = ({ id, spiffe_id }: Entry): Json => ({
    entry_id: id,
    spiffe_id: idText(spiffe_id),
  })
  return {
    owner: declaration.owner,
    create: plan.create.map(whole),
    update: plan.update.map(({ entry, changes }) => ({
      entry_id: entry.id,
      spiffe_id: idText(entry.spiffe_id),
      changes: changes.map(({ field, from, to }) => ({ field, from, to })),
    })),
    delete: plan.delete.map(whole),
    conflicts: plan.conflicts.map(({ wanted, existing }) => ({
      wanted: whole(wanted),
      existing: whole(existing),
    })),
    unchanged: plan.unchanged.map(named),
    kept: plan.kept.map(named),
  }
}
