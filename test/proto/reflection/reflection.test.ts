/** What a tool learns of our services by reflection, over a real socket. */
import { credentials } from '@grpc/grpc-js'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { ServerReflectionRequestInput } from '../../../proto/gen/grpc/reflection/v1/ServerReflectionRequest.ts'
import type { ServerReflectionResponse } from '../../../proto/gen/grpc/reflection/v1/ServerReflectionResponse.ts'
import { reflectionAlphaApi, reflectionApi } from '../../../proto/load.ts'
import { decodeFile } from '../../../proto/reflection/file-descriptor.ts'
import { openWorkloadEndpoint } from '../../fakes/workload-endpoint.ts'

const SERVICES = [
  'SpiffeWorkloadAPI',
  'grpc.health.v1.Health',
  'grpc.reflection.v1.ServerReflection',
  'grpc.reflection.v1alpha.ServerReflection',
]

/** Asks on one stream, one after the other. */
async function ask(
  path: string,
  requests: readonly ServerReflectionRequestInput[],
  Api: typeof reflectionApi | typeof reflectionAlphaApi = reflectionApi,
): Promise<readonly ServerReflectionResponse[]> {
  const client = new (Api())(`unix:${path}`, credentials.createInsecure())
  try {
    const stream = client.ServerReflectionInfo()
    const answers: ServerReflectionResponse[] = []
    for (const request of requests) stream.write(request)
    stream.end()
    for await (const answer of stream) answers.push(answer)
    return answers
  } finally {
    client.close()
  }
}

const filesIn = (answer: ServerReflectionResponse | undefined) =>
  (answer?.file_descriptor_response?.file_descriptor_proto ?? []).map(decodeFile)

test.for([
  ['v1', reflectionApi],
  ['v1alpha', reflectionAlphaApi],
] as const)('%s lists what the socket serves', async ([, Api]) => {
  await using endpoint = await openWorkloadEndpoint()
  const [answer] = await ask(endpoint.path, [{ list_services: '' }], Api)
  const names = answer?.list_services_response?.service.map(({ name }) => name)
  expect(names).toEqual(SERVICES)
})

test('a service comes with the files that it needs, each of them once on a stream', async () => {
  await using endpoint = await openWorkloadEndpoint()
  const symbols = ['SpiffeWorkloadAPI', 'X509SVID', 'google.protobuf.Struct']
  const answers = await ask(
    endpoint.path,
    symbols.map((file_containing_symbol) => ({ file_containing_symbol })),
  )
  const names = answers.map((answer) => filesIn(answer).map(({ name }) => name))
  expect(names).toEqual([
    ['root.proto', 'google_protobuf.proto'],
    ['root.proto'],
    ['google_protobuf.proto'],
  ])
  const [workload] = filesIn(answers[0])
  expect(workload?.dependency).toEqual(['google_protobuf.proto'])
})

test('every name that a file uses is complete and is defined in it or in an import', async () => {
  await using endpoint = await openWorkloadEndpoint()
  const answers = await ask(
    endpoint.path,
    SERVICES.map((file_containing_symbol) => ({ file_containing_symbol })),
  )
  const files = answers.flatMap(filesIn)
  const uses = files.flatMap(({ messageType = [], service = [] }) => [
    ...messageType.flatMap(({ field = [] }) => field.flatMap(({ typeName }) => typeName ?? [])),
    ...service.flatMap(({ method = [] }) =>
      method.flatMap(({ inputType, outputType }) => [inputType, outputType]),
    ),
  ])
  expect(uses.length).toBeGreaterThan(20)
  expect(uses.filter((name) => !name.startsWith('.'))).toEqual([])
  const asked = uses.map((name) => ({ file_containing_symbol: name.slice(1) }))
  const found = await ask(endpoint.path, asked)
  expect(
    found.filter(({ error_response }) => error_response !== null && error_response !== undefined),
  ).toEqual([])
})

test('a map is what protobuf calls it, and fields say what they are called in JSON', async () => {
  await using endpoint = await openWorkloadEndpoint()
  const [answer] = await ask(endpoint.path, [{ file_containing_symbol: 'X509SVIDResponse' }])
  const [file] = filesIn(answer)
  const message = file?.messageType?.find(({ name }) => name === 'X509SVIDResponse')
  expect(message?.nestedType?.map(({ name }) => name)).toEqual(['FederatedBundlesEntry'])
  const field = message?.field?.find(({ name }) => name === 'federated_bundles')
  expect(field).toMatchObject({
    jsonName: 'federatedBundles',
    typeName: '.X509SVIDResponse.FederatedBundlesEntry',
  })
})

test('well-known types have the names that everybody knows', async () => {
  await using endpoint = await openWorkloadEndpoint()
  const [answer] = await ask(endpoint.path, [{ file_containing_symbol: 'google.protobuf.Value' }])
  const value = filesIn(answer)[0]?.messageType?.find(({ name }) => name === 'Value')
  expect(value?.field?.map(({ name }) => name)).toContain('null_value')
})

test.for([
  ['a file', { file_by_filename: 'nope.proto' }],
  ['a symbol', { file_containing_symbol: 'nope.Nope' }],
  [
    'an extension',
    { file_containing_extension: { containing_type: 'X509SVID', extension_number: 7 } },
  ],
  ['a type', { all_extension_numbers_of_type: 'Nope' }],
  ['a service as a type', { all_extension_numbers_of_type: 'SpiffeWorkloadAPI' }],
] as const)('says that %s is not there, and stays open', async ([, request]) => {
  await using endpoint = await openWorkloadEndpoint()
  const [refused, next] = await ask(endpoint.path, [request, { list_services: '' }])
  expect(refused?.error_response).toEqual({ error_code: 5, error_message: 'proto: not found' })
  expect(next?.list_services_response?.service).toHaveLength(SERVICES.length)
})

test('a message that nothing extends has no extensions', async () => {
  await using endpoint = await openWorkloadEndpoint()
  const [answer] = await ask(endpoint.path, [{ all_extension_numbers_of_type: 'X509SVID' }])
  expect(answer?.all_extension_numbers_response).toEqual({
    base_type_name: 'X509SVID',
    extension_number: [],
  })
})

test('refuses a request that asks for nothing', async () => {
  await using endpoint = await openWorkloadEndpoint()
  await expect(ask(endpoint.path, [{}])).rejects.toMatchObject({
    code: 3,
    details: 'invalid MessageRequest: <nil>',
  })
})

test('refuses one stream more than a process may have', async () => {
  await using endpoint = await openWorkloadEndpoint({ streams: { perProcess: 0, total: 0 } })
  await expect(ask(endpoint.path, [{ list_services: '' }])).rejects.toMatchObject({ code: 8 })
})

test('whatever symbol is asked for, there is an answer', async () => {
  await using endpoint = await openWorkloadEndpoint()
  const symbols = fc.sample(fc.string(), 50)
  const asked = symbols.map((file_containing_symbol) => ({ file_containing_symbol }))
  expect(await ask(endpoint.path, asked)).toHaveLength(symbols.length)
})
