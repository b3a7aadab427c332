/** The custom resources of one class, as the controller keeps them: what the spec says or why it cannot be read, and the status. */
import type { Followed } from '../../kubernetes/follow-objects.ts'
import { type JsonRecord, type ObjectMeta, recordAt, textAt } from '../../kubernetes/object.ts'
import { IdentityError } from '../../spiffe/error.ts'
import type { Source } from './plan.ts'

export interface CustomResource<S> extends Followed {
  readonly source: Source
  readonly spec: Readable<S>
  /** As it is in the cluster. */
  readonly status: JsonRecord
}

export type Readable<S> =
  | { readonly kind: 'readable'; readonly value: S }
  | { readonly kind: 'unreadable'; readonly reason: string }

export interface ClassSettings {
  /** Only resources of this class; empty: those without one. */
  readonly className: string
  /** Also those without a class. */
  readonly watchesClassless: boolean
}

/** @returns how to read a resource; what is of another class is left out */
export function resourceReader<S>(
  { className, watchesClassless }: ClassSettings,
  parse: (spec: unknown) => S,
): (object: unknown, meta: ObjectMeta) => CustomResource<S> | undefined {
  return (object, meta) => {
    const spec = recordAt(object, 'spec')
    const of = textAt(spec, 'className') ?? ''
    if (of !== className && !(of === '' && watchesClassless)) return undefined
    return {
      meta,
      source: { uid: meta.uid, createdAt: meta.createdAt, deletedAt: meta.deletedAt },
      spec: readable(() => parse(spec)),
      status: recordAt(object, 'status'),
    }
  }
}

function readable<S>(parse: () => S): Readable<S> {
  try {
    return { kind: 'readable', value: parse() }
  } catch (error) {
    if (!(error instanceof IdentityError)) throw error
    return { kind: 'unreadable', reason: error.message }
  }
}

/** Whether a change is one of what is wanted, and not of the status alone. */
export function isSpecChange<S>(
  now: CustomResource<S>,
  before: CustomResource<S> | undefined,
): boolean {
  return (
    before === undefined ||
    before.meta.generation !== now.meta.generation ||
    before.source.deletedAt?.getTime() !== now.source.deletedAt?.getTime()
  )
}
