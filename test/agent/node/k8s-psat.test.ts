import { expect, test } from 'vitest'
import { k8sPsatAttestor } from '../../../agent/node/k8s-psat.ts'
import { readK8sPsatPayload } from '../../../proto/k8s-psat.ts'
import { IdentityError } from '../../../spiffe/error.ts'

function attestor(files: Record<string, string>) {
  const readText = (path: string) => {
    const text = files[path]
    if (text === undefined) throw new IdentityError('CONFIG_INVALID', `unable to read ${path}`)
    return text
  }
  return k8sPsatAttestor({ cluster: 'main', tokenPath: '/token' }, { readText })
}

test('sends its cluster and the token of its file', async () => {
  const one = attestor({ '/token': 'a.b.c' })
  expect(one.type).toBe('k8s_psat')
  expect(readK8sPsatPayload(await one.payload())).toEqual({ cluster: 'main', token: 'a.b.c' })
})

test('takes the token that the kubelet has put there since', async () => {
  const files = { '/token': 'old' }
  const one = attestor(files)
  await one.payload()
  files['/token'] = 'new\n'
  expect(readK8sPsatPayload(await one.payload()).token).toBe('new')
})

test.for([
  [
    'there is no file',
    {},
    'unable to load token from /token: unable to read /token; check cluster',
  ],
  ['the file is empty', { '/token': '' }, 'unable to load token from /token: it is empty'],
  ['the file is blank', { '/token': ' \n' }, 'unable to load token from /token: it is empty'],
] as const)('refuses to attest when %s', async ([, files, message]) => {
  await expect(attestor(files).payload()).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
    message: expect.stringContaining(message),
  })
})

test('answers no challenge', async () => {
  await expect(attestor({}).answer(Buffer.from('?'))).rejects.toThrow('answers no challenge')
})
