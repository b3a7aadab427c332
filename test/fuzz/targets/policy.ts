/** What operators of a cluster write: policies as YAML, templates of names, label selectors, agent path templates. */
import { readPolicies } from '../../../proxy/policy-source/read-policies.ts'
import { readReview } from '../../../server/admission/review.ts'
import {
  parseAgentPathTemplate,
  renderAgentPath,
} from '../../../server/attest/agent-path-template.ts'
import { matchesLabels, parseLabelSelector } from '../../../server/controller/label-selector.ts'
import { evaluate } from '../../../server/controller/template/evaluate.ts'
import { MAX_TEMPLATE_LENGTH } from '../../../server/controller/template/lex-template.ts'
import { parseTemplate } from '../../../server/controller/template/parse-template.ts'
import { parseTrustDomain, spiffeId } from '../../../spiffe/id.ts'
import { denyAll, mesh, mtlsMode } from '../../proxy/mesh.ts'
import { answerOf, broken, type FuzzTarget, mustEqual, ofText, readByOther } from '../target.ts'

const RULES = `apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: a, namespace: default }
spec:
  selector: { matchLabels: { app: x } }
  action: DENY
  rules:
  - from: [{ source: { principals: ["*/sa/b"], ipBlocks: [10.0.0.0/8] } }]
    to: [{ operation: { methods: [GET], paths: ["/a/{*}", "/b*"], hosts: [h], ports: ["80"] } }]
    when: [{ key: "request.headers[x]", values: [y] }, { key: request.auth.claims[a][b], notValues: ["*c"] }]
`
const TOKENS = `apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata: { name: b, namespace: default }
spec:
  jwtRules: [{ issuer: i, jwks: '{"keys":[]}', audiences: [a], fromHeaders: [{ name: x, prefix: "y " }] }]
`

const policies: FuzzTarget = {
  name: 'policy-yaml',
  oracle: 'a text that is accepted is accepted again, as the same number of objects',
  seeds: [denyAll(), mtlsMode('STRICT'), RULES, TOKENS].map(ofText),
  dictionary: [
    'apiVersion: security.istio.io/v1\n',
    'kind: AuthorizationPolicy\n',
    'spec:\n',
    'action: ',
    'ALLOW',
    'DENY',
    'AUDIT',
    'CUSTOM',
    'rules:\n',
    '- from: ',
    'source: ',
    'principals',
    'notPrincipals',
    'namespaces',
    'ipBlocks',
    'remoteIpBlocks',
    'to: ',
    'operation: ',
    'when: ',
    'request.headers[',
    'connection.sni',
    'mtls: { mode: ',
    'portLevelMtls',
    'jwtRules',
    '---\n',
    '\n  ',
    '{**}',
    '0.0.0.0/0',
    'targetRefs',
  ],
  ...{ maxBytes: 2_048, share: 1 },
  run(input) {
    const texts = [{ name: 'a.yaml', text: input.toString('utf8') }]
    const read = answerOf(() => readPolicies(texts, mesh))
    if (read !== undefined)
      mustEqual('objects', readPolicies(texts, mesh).objects, read.answer.objects)
  },
}

const data = {
  TrustDomain: 'example.org',
  ClusterName: 'c',
  ClusterDomain: 'cluster.local',
  PodMeta: { Name: 'p', Namespace: 'n', Labels: { a: 'b' }, Annotations: {}, UID: 'u' },
  PodSpec: { ServiceAccountName: 's', NodeName: 'n', Containers: [{ Name: 'c', Image: 'i' }] },
  NodeMeta: { Name: 'n', Labels: {} },
  NodeSpec: {},
}

const template: FuzzTarget = {
  name: 'policy-template',
  oracle: 'a template ends within its bounds, with the same text each time',
  seeds: [
    'spiffe://{{ .TrustDomain }}/ns/{{ .PodMeta.Namespace }}/sa/{{ .PodSpec.ServiceAccountName }}',
    '{{ range $i, $c := .PodSpec.Containers }}{{ $c.Name }}{{ end }}',
    '{{ if eq (index .PodMeta.Labels "a") "b" }}x{{ else }}y{{ end }}',
    '{{- with .PodMeta }}{{ .Name | printf "%q-%s" | len }}{{ end -}}',
    '{{/* c */}}{{ and true (not false) | print }}',
  ].map(ofText),
  dictionary: [
    '{{',
    '}}',
    '{{-',
    '-}}',
    '{{ end }}',
    '{{ range ',
    '{{ if ',
    '{{ with ',
    '{{ else }}',
    ' := ',
    '$x',
    '.',
    '|',
    'printf ',
    '"%v"',
    '%*d',
    '%99999d',
    'index ',
    'len ',
    'eq ',
    'slice ',
    'html ',
    'js ',
    'urlquery ',
    'and ',
    'or ',
    'not ',
    'break',
    'continue',
    '`',
    '/*',
    '*/',
    '(',
    ')',
    "'a'",
    '0x1p4',
    '1i',
    'nil',
  ],
  ...{ maxBytes: MAX_TEMPLATE_LENGTH + 64, share: 10 },
  run(input) {
    const text = input.toString('utf8')
    const parsed = answerOf(() => parseTemplate(text))
    if (parsed === undefined) return
    const root = { type: { kind: 'struct', name: 'TemplateData' }, data } as const
    const seen = answerOf(() => evaluate(parsed.answer, root))
    mustEqual(
      'text',
      answerOf(() => evaluate(parseTemplate(text), root)),
      seen,
    )
  },
}

const trustDomain = parseTrustDomain('example.org')
const paths: FuzzTarget = {
  name: 'policy-agent-path',
  oracle: 'no field of a certificate leads out of the path of agents',
  seeds: ['/{{ .PluginName }}/{{ .Fingerprint }}', '/a/{{ .SerialNumberHex }}', '/x'].map(ofText),
  dictionary: [
    '{{',
    '}}',
    ' .',
    '.PluginName',
    '.Fingerprint',
    '.SerialNumberHex',
    '.Subject.CommonName',
    '/',
    '..',
  ],
  ...{ maxBytes: 1_024, share: 10 },
  run(input) {
    const read = answerOf(() => parseAgentPathTemplate(input.toString('utf8')))
    if (read === undefined) return
    const fields = new Proxy({}, { get: () => '../x', has: () => true })
    // Cast: every field that a template may name has the same hostile text.
    const path = answerOf(() =>
      renderAgentPath(read.answer, fields as Parameters<typeof renderAgentPath>[1]),
    )
    if (path === undefined) return
    const id = answerOf(() => spiffeId(trustDomain, `/spire/agent${path.answer}`))
    if (id?.answer.split('/').includes('..')) throw broken(id.answer)
  },
}

const labels: FuzzTarget = {
  name: 'policy-object',
  oracle: 'a label selector or a review is read or refused',
  seeds: [
    '{"matchLabels":{"a":"b"},"matchExpressions":[{"key":"a","operator":"In","values":["b"]}]}',
    '{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","request":{"uid":"u","kind":{"kind":"Pod"},"object":{}}}',
  ].map(ofText),
  dictionary: [
    '"matchLabels"',
    '"matchExpressions"',
    '"operator"',
    '"Exists"',
    '"NotIn"',
    '"DoesNotExist"',
    '"values"',
    'null',
    '{}',
    '[]',
    '"__proto__"',
    '"request"',
  ],
  ...{ maxBytes: 1_024, share: 10 },
  run(input) {
    const text = input.toString('utf8')
    answerOf(() => readReview(text))
    const object = readByOther<unknown>(() => JSON.parse(text))?.answer
    const selector = answerOf(() => parseLabelSelector(object))
    if (selector !== undefined) matchesLabels(selector.answer, { a: 'b' })
  },
}

export const targets: readonly FuzzTarget[] = [policies, template, paths, labels]
