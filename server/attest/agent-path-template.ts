/**
 * `agent_path_template`: the path of an agent's ID as text with fields in it, `/cn/{{ .Subject.CommonName }}`. Of Go's
 * template language only plain fields are taken; whatever else it offers is refused when the configuration is read.
 *
 * @see https://github.com/spiffe/spire/blob/main/doc/plugin_server_nodeattestor_x509pop.md
 */
import { IdentityError } from '../../spiffe/error.ts'

export const TEMPLATE_FIELDS = [
  'PluginName',
  'Fingerprint',
  'TrustDomain',
  'Subject.CommonName',
  'SerialNumberHex',
  'SVIDPathTrimmed',
] as const

export type TemplateField = (typeof TEMPLATE_FIELDS)[number]

export type TemplateValues = Readonly<Record<TemplateField, string | undefined>>

type Part =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'field'; readonly field: TemplateField }

export interface AgentPathTemplate {
  readonly parts: readonly Part[]
}

const ACTION = /\{\{(.*?)\}\}/gs
const FIELD = /^\s*\.([A-Za-z.]+)\s*$/

/** @throws IdentityError CONFIG_INVALID saying what of the template is not taken */
export function parseAgentPathTemplate(template: string): AgentPathTemplate {
  const parts: Part[] = []
  let end = 0
  for (const match of template.matchAll(ACTION)) {
    parts.push(textPart(template.slice(end, match.index)), fieldPart(match[1] ?? ''))
    end = match.index + match[0].length
  }
  parts.push(textPart(template.slice(end)))
  if (!template.startsWith('/')) {
    throw refused('it must begin with a slash, e.g. /x509pop/{{ .Fingerprint }}')
  }
  return { parts }
}

export function usesField({ parts }: AgentPathTemplate, field: TemplateField): boolean {
  return parts.some((part) => part.kind === 'field' && part.field === field)
}

/**
 * The path after `/spire/agent`. A value that is missing, or that would add a step to the path where the template has
 * none, refuses: two nodes must not come out as one.
 * @throws IdentityError NOT_AUTHORIZED
 */
export function renderAgentPath({ parts }: AgentPathTemplate, values: TemplateValues): string {
  return parts.map((part) => (part.kind === 'text' ? part.text : fill(part.field, values))).join('')
}

function fill(field: TemplateField, values: TemplateValues): string {
  const value = values[field]
  if (value === undefined || value === '') {
    throw new IdentityError(
      'NOT_AUTHORIZED',
      `failed to make spiffe id: the certificate has no ${field}, which agent_path_template names`,
    )
  }
  if (value.includes('/') && field !== 'SVIDPathTrimmed') {
    throw new IdentityError(
      'NOT_AUTHORIZED',
      `failed to make spiffe id: ${field} of the certificate has a slash in it`,
    )
  }
  return value
}

function textPart(text: string): Part {
  if (text.includes('{{') || text.includes('}}')) throw refused('it has braces that do not match')
  return { kind: 'text', text }
}

function fieldPart(action: string): Part {
  const name = FIELD.exec(action)?.[1]
  const field = TEMPLATE_FIELDS.find((known) => known === name)
  if (field !== undefined) return { kind: 'field', field }
  const known = TEMPLATE_FIELDS.map((one) => `.${one}`).join(', ')
  throw refused(`{{${action}}} is not implemented, only ${known}`)
}

function refused(why: string): IdentityError {
  return new IdentityError('CONFIG_INVALID', `not a path template: ${why}`)
}
