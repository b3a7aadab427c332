/**
 * AdmissionReview in and out. Nothing is assumed of what comes: a review that cannot be read is no review, and gets none.
 *
 * @see https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers
 */
import { isRecord, recordAt, textAt } from '../../kubernetes/object.ts'
import type { AdmissionRequest, AdmissionVerdict } from './routes.ts'

const API_VERSION = 'admission.k8s.io/v1'
/** Kubernetes cuts warnings of more characters. */
const MAX_WARNING_LENGTH = 256
const MAX_WARNINGS = 20
const MAX_MESSAGE_LENGTH = 2_048

/** Undefined for what is no review of this version with a request in it. */
export function readReview(text: string): AdmissionRequest | undefined {
  const review = parse(text)
  if (
    textAt(review, 'apiVersion') !== API_VERSION ||
    textAt(review, 'kind') !== 'AdmissionReview'
  ) {
    return undefined
  }
  const request = recordAt(review, 'request')
  const uid = textAt(request, 'uid')
  if (uid === undefined || uid === '') return undefined
  const kind = recordAt(request, 'kind')
  return {
    uid,
    operation: textAt(request, 'operation') ?? '',
    kind: {
      group: textAt(kind, 'group') ?? '',
      version: textAt(kind, 'version') ?? '',
      kind: textAt(kind, 'kind') ?? '',
    },
    resource: textAt(recordAt(request, 'resource'), 'resource') ?? '',
    namespace: textAt(request, 'namespace') ?? '',
    name: textAt(request, 'name') ?? '',
    username: textAt(recordAt(request, 'userInfo'), 'username') ?? '',
    isDryRun: request.dryRun === true,
    object: request.object,
    oldObject: request.oldObject,
  }
}

function parse(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text)
    return isRecord(value) ? value : undefined
  } catch {
    return undefined
  }
}

/** The answer to the request of this UID, as JSON. */
export function formatReview(uid: string, verdict: AdmissionVerdict): string {
  return JSON.stringify({
    apiVersion: API_VERSION,
    kind: 'AdmissionReview',
    response: { uid, ...responseOf(verdict) },
  })
}

function responseOf(verdict: AdmissionVerdict) {
  if (verdict.kind === 'deny') {
    const message = verdict.message.slice(0, MAX_MESSAGE_LENGTH)
    return { allowed: false, status: { code: 403, reason: 'Forbidden', message } }
  }
  const { patch, warnings } = verdict
  const encoded = Buffer.from(JSON.stringify(patch)).toString('base64')
  const shown = warnings.slice(0, MAX_WARNINGS).map((one) => one.slice(0, MAX_WARNING_LENGTH))
  return {
    allowed: true,
    ...(patch.length === 0 ? {} : { patchType: 'JSONPatch', patch: encoded }),
    ...(shown.length === 0 ? {} : { warnings: shown }),
  }
}
