/**
 * Label selectors of Kubernetes, read and matched as the API server does. One that is left out or empty selects
 * everything; one that cannot be read is refused, never taken for another.
 *
 * @see https://kubernetes.io/docs/concepts/overview/working-with-objects/labels
 */
import { isRecord, listAt, textAt } from '../../kubernetes/object.ts'
import { IdentityError } from '../../spiffe/error.ts'

export type Labels = Readonly<Record<string, string>>

export interface Requirement {
  readonly key: string
  readonly operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist'
  readonly values: ReadonlySet<string>
}

/** All of them have to be met. */
export type LabelSelector = readonly Requirement[]

const MAX_REQUIREMENTS = 1_000
const MAX_NAME_LENGTH = 63
const MAX_PREFIX_LENGTH = 253
const NAME = /^[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?$/
const PREFIX = /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*$/

/** @throws IdentityError REQUEST_INVALID */
export function parseLabelSelector(selector: unknown): LabelSelector {
  if (selector === undefined || selector === null) return []
  if (!isRecord(selector)) throw refusal('it is no object')
  const labels = selector.matchLabels ?? {}
  if (!isRecord(labels)) throw refusal('matchLabels is no object')
  const equal = Object.entries(labels).map(([key, value]) =>
    requirement(key, 'In', [value], 'matchLabels'),
  )
  const expressions = listAt(selector, 'matchExpressions').map((expression) => {
    const operator = textAt(expression, 'operator') ?? ''
    return requirement(
      textAt(expression, 'key') ?? '',
      operator,
      listAt(expression, 'values'),
      'matchExpressions',
    )
  })
  const all = [...equal, ...expressions]
  if (all.length > MAX_REQUIREMENTS) throw refusal(`more than ${MAX_REQUIREMENTS} requirements`)
  return all
}

function requirement(
  key: string,
  operator: string,
  values: readonly unknown[],
  where: string,
): Requirement {
  checkKey(key, where)
  for (const value of values) checkValue(value, key)
  const told = `${where} of ${JSON.stringify(key)}`
  switch (operator) {
    case 'In':
    case 'NotIn':
      if (values.length === 0) throw refusal(`${told} has operator ${operator} and no values`)
      break
    case 'Exists':
    case 'DoesNotExist':
      if (values.length > 0) throw refusal(`${told} has operator ${operator} and values`)
      break
    default: {
      const shown = JSON.stringify(operator.slice(0, 64))
      throw refusal(`${told} has operator ${shown}, expected In, NotIn, Exists or DoesNotExist`)
    }
  }
  return { key, operator, values: new Set(values.map(String)) }
}

function checkKey(key: string, where: string): void {
  const slash = key.indexOf('/')
  const name = key.slice(slash + 1)
  const isName = name.length <= MAX_NAME_LENGTH && NAME.test(name)
  const prefix = key.slice(0, slash)
  const isPrefix = slash === -1 || (prefix.length <= MAX_PREFIX_LENGTH && PREFIX.test(prefix))
  if (!(isName && isPrefix)) {
    throw refusal(`${where} has ${JSON.stringify(key.slice(0, 64))}, which is no label key`)
  }
}

function checkValue(value: unknown, key: string): void {
  const isValue =
    typeof value === 'string' &&
    value.length <= MAX_NAME_LENGTH &&
    (value === '' || NAME.test(value))
  if (!isValue) {
    throw refusal(`a value for ${JSON.stringify(key)} is no label value`)
  }
}

export function matchesLabels(selector: LabelSelector, labels: Labels): boolean {
  return selector.every(({ key, operator, values }) => {
    const value = Object.hasOwn(labels, key) ? labels[key] : undefined
    switch (operator) {
      case 'In':
        return value !== undefined && values.has(value)
      case 'NotIn':
        return value === undefined || !values.has(value)
      case 'Exists':
        return value !== undefined
      case 'DoesNotExist':
        return value === undefined
      default:
        return operator satisfies never
    }
  })
}

function refusal(why: string): IdentityError {
  return new IdentityError('REQUEST_INVALID', `invalid label selector: ${why}`)
}
