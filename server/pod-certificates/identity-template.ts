/**
 * `spiffe_id_template`: the SPIFFE ID of a pod as text with fields in it, named as ClusterSPIFFEID names them. Only
 * plain fields are taken, and a value never adds a step to the path: two pods must not come out as one by its slash.
 */
import { IdentityError } from '../../spiffe/error.ts'
import {
  parseSpiffeId,
  pathOf,
  type SpiffeId,
  type TrustDomain,
  trustDomainOf,
} from '../../spiffe/id.ts'
import { parseWorkloadId } from '../entries/member-id.ts'

const FIELDS = [
  'TrustDomain',
  'ClusterName',
  'PodMeta.Namespace',
  'PodMeta.Name',
  'PodMeta.UID',
  'PodSpec.ServiceAccountName',
  'PodSpec.NodeName',
] as const

type Field = (typeof FIELDS)[number]

export type IdentityValues = Readonly<Record<Field, string>>

export interface IdentityTemplate {
  /** Texts and fields by turns, a text first. */
  readonly texts: readonly string[]
  readonly fields: readonly Field[]
}

/** To see that a template makes an ID before anybody asks for one. */
const SAMPLE: IdentityValues = {
  TrustDomain: 'x',
  ClusterName: 'x',
  'PodMeta.Namespace': 'x',
  'PodMeta.Name': 'x',
  'PodMeta.UID': 'x',
  'PodSpec.ServiceAccountName': 'x',
  'PodSpec.NodeName': 'x',
}

const ACTION = /\{\{(.*?)\}\}/s
const FIELD = /^\s*\.([A-Za-z.]+)\s*$/

/** @throws IdentityError CONFIG_INVALID saying what of the template is not taken */
export function parseIdentityTemplate(
  template: string,
  trustDomain: TrustDomain,
): IdentityTemplate {
  const pieces = template.split(ACTION)
  const texts = pieces.filter((_, index) => index % 2 === 0)
  const fields = pieces.filter((_, index) => index % 2 === 1).map(fieldOf)
  if (texts.some((text) => /[{}]/.test(text))) throw refused('it has braces that do not match')
  const parsed = { texts, fields }
  const values = { ...SAMPLE, TrustDomain: trustDomain }
  try {
    renderIdentity(parsed, values, trustDomain)
  } catch (error) {
    if (!(error instanceof IdentityError)) throw error
    throw refused(`it makes no ID of a workload of ${trustDomain}: ${error.message}`)
  }
  return parsed
}

/** @throws IdentityError SPIFFE_ID_INVALID for what is no ID of a workload of this trust domain */
export function renderIdentity(
  { texts, fields }: IdentityTemplate,
  values: IdentityValues,
  trustDomain: TrustDomain,
): SpiffeId {
  const filled = fields.map((field) => {
    const value = values[field]
    if (value === '' || value.includes('/')) {
      const message = `spiffe_id_template: ${field} is ${JSON.stringify(value)}, expected one step of a path`
      throw new IdentityError('SPIFFE_ID_INVALID', message)
    }
    return value
  })
  const text = texts.map((piece, index) => piece + (filled[index] ?? '')).join('')
  const id = parseSpiffeId(text)
  return parseWorkloadId({ trustDomain: trustDomainOf(id), path: pathOf(id) }, trustDomain)
}

function fieldOf(action: string): Field {
  const name = FIELD.exec(action)?.[1]
  const field = FIELDS.find((known) => known === name)
  if (field !== undefined) return field
  const known = FIELDS.map((one) => `.${one}`).join(', ')
  throw refused(`{{${action}}} is not implemented, only ${known}`)
}

function refused(why: string): IdentityError {
  return new IdentityError('CONFIG_INVALID', `not a template of SPIFFE IDs: ${why}`)
}
