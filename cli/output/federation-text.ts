/** A federation with another trust domain for people: where its bundle is, and how that place proves itself. */
import type { FederationRelationship } from '../../proto/gen/spire/api/types/FederationRelationship.ts'

const LABEL_WIDTH = 26

/** Begins with an empty line. */
export function federationText(relationship: FederationRelationship): string {
  const { https_web, https_spiffe } = relationship
  const isWeb = https_web !== undefined && https_web !== null
  const isSpiffe = https_spiffe !== undefined && https_spiffe !== null
  return [
    '\n',
    line('Trust domain', relationship.trust_domain),
    line('Bundle endpoint URL', relationship.bundle_endpoint_url),
    isWeb ? line('Bundle endpoint profile', 'https_web') : '',
    isSpiffe ? line('Bundle endpoint profile', 'https_spiffe') : '',
    isSpiffe ? line('Endpoint SPIFFE ID', https_spiffe.endpoint_spiffe_id) : '',
  ].join('')
}

function line(label: string, value: string): string {
  return `${label.padEnd(LABEL_WIDTH)}: ${value}\n`
}
