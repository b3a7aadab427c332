/**
 * Everything that the cluster declares, by who declares it (a pod, a static entry) and by the key of the entry. Remembers
 * which keys were touched since they were last asked for, so that only those are planned again.
 */
import { type Declared, keyOf } from './plan.ts'
import type { Outcome } from './pod-outcomes.ts'

export interface Declarations {
  /** Everything that this declarer declares now; an empty list forgets it. @param declarer UID */
  replace(declarer: string, outcomes: readonly Outcome[]): void
  /** Of a key. */
  declared(key: string): readonly Declared[]
  /** Keys with at least one. */
  keys(): Iterable<string>
  outcomes(): Iterable<readonly Outcome[]>
  outcomesOf(declarer: string): readonly Outcome[]
  /** Since the last call. */
  takeTouched(): ReadonlySet<string>
}

export function createDeclarations(): Declarations {
  const byDeclarer = new Map<string, readonly Outcome[]>()
  const byKey = new Map<string, Set<Declared>>()
  const kept = new Map<string, readonly { readonly key: string; readonly declared: Declared }[]>()
  let touched = new Set<string>()

  const forget = (declarer: string) => {
    for (const { key, declared } of kept.get(declarer) ?? []) {
      touched.add(key)
      const all = byKey.get(key)
      all?.delete(declared)
      if (all?.size === 0) byKey.delete(key)
    }
    kept.delete(declarer)
    byDeclarer.delete(declarer)
  }

  return {
    replace(declarer, outcomes) {
      forget(declarer)
      if (outcomes.length === 0) return
      byDeclarer.set(declarer, outcomes)
      const entries = outcomes.flatMap(({ source, result }) =>
        result.kind === 'entry'
          ? [{ key: keyOf(result.fields), declared: { source, fields: result.fields } }]
          : [],
      )
      if (entries.length === 0) return
      kept.set(declarer, entries)
      for (const { key, declared } of entries) {
        touched.add(key)
        const all = byKey.get(key)
        if (all === undefined) byKey.set(key, new Set([declared]))
        else all.add(declared)
      }
    },
    declared: (key) => [...(byKey.get(key) ?? [])],
    keys: () => byKey.keys(),
    outcomes: () => byDeclarer.values(),
    outcomesOf: (declarer) => byDeclarer.get(declarer) ?? [],
    takeTouched() {
      const taken = touched
      touched = new Set()
      return taken
    },
  }
}
