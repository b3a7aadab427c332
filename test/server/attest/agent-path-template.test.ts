import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  parseAgentPathTemplate,
  renderAgentPath,
  TEMPLATE_FIELDS,
  type TemplateValues,
} from '../../../server/attest/agent-path-template.ts'
import { IdentityError } from '../../../spiffe/error.ts'

const VALUES: TemplateValues = {
  PluginName: 'x509pop',
  Fingerprint: 'f00',
  TrustDomain: 'example.org',
  'Subject.CommonName': 'node1',
  SerialNumberHex: '0a',
  SVIDPathTrimmed: 'a/b',
}

test.for([
  ['/static', '/static'],
  ['/{{ .PluginName }}/{{ .Fingerprint }}', '/x509pop/f00'],
  ['/{{.PluginName}}-{{.SerialNumberHex}}', '/x509pop-0a'],
  ['/{{ .SVIDPathTrimmed }}/{{\t.TrustDomain\n}}', '/a/b/example.org'],
])('%j is filled in', ([template = '', path]) => {
  expect(renderAgentPath(parseAgentPathTemplate(template), VALUES)).toBe(path)
})

test.for([
  [
    'cn/{{ .Fingerprint }}',
    'not a path template: it must begin with a slash, e.g. /x509pop/{{ .Fingerprint }}',
  ],
  ['', 'not a path template: it must begin with a slash, e.g. /x509pop/{{ .Fingerprint }}'],
  ['/{{ .Fingerprint', 'not a path template: it has braces that do not match'],
  ['/}}', 'not a path template: it has braces that do not match'],
  [
    '/{{ .Subject.Organization }}',
    /^not a path template: \{\{ \.Subject\.Organization \}\} is not implemented, only \.PluginName, /,
  ],
  ['/{{ .Fingerprint | upper }}', /is not implemented/],
  ['/{{- .Fingerprint -}}', /is not implemented/],
  ['/{{ index .URIs 0 }}', /is not implemented/],
  ['/{{ }}', /is not implemented/],
  ['/{{/* comment */}}', /is not implemented/],
  ['/{{ .fingerprint }}', /is not implemented/],
])('%j is refused when it is read', ([template, why]) => {
  expect(() => parseAgentPathTemplate(String(template))).toThrow(
    expect.objectContaining({
      code: 'CONFIG_INVALID',
      message: typeof why === 'string' ? why : expect.stringMatching(why ?? /never/),
    }),
  )
})

test.for(TEMPLATE_FIELDS)('a node without %s is refused where the template names it', (field) => {
  const template = parseAgentPathTemplate(`/x/{{ .${field} }}`)
  for (const value of [undefined, '']) {
    expect(() => renderAgentPath(template, { ...VALUES, [field]: value })).toThrow(
      expect.objectContaining({ code: 'NOT_AUTHORIZED' }),
    )
  }
})

test('any text is a template or a refusal, and what is no field comes out as it went in', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      try {
        const rendered = renderAgentPath(parseAgentPathTemplate(`/${text}`), VALUES)
        if (!text.includes('{{')) expect(rendered).toBe(`/${text}`)
      } catch (error) {
        expect(error).toBeInstanceOf(IdentityError)
      }
    }),
  )
})
