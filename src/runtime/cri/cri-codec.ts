// How CRI messages are written on the wire, shared by server and client.
import type { ProtobufCodec } from '../../base/protobuf/codec.ts'
import { codecFromTable } from '../../base/protobuf/message-table.ts'
import { RepeatedMessages } from '../../base/protobuf/repeated-messages.ts'
import { criEnums, criMessages, criRpcs } from './cri.generated.ts'

const codec: ProtobufCodec = codecFromTable(criMessages, criEnums, {
  // Each event tells of every container of its pod.
  'ContainerEventResponse.containersStatuses': new RepeatedMessages(() => codec, 'ContainerStatus'),
})

interface MethodDefinition {
  path: string
  requestStream: false
  responseStream: boolean
  requestSerialize(value: object): Buffer
  requestDeserialize(bytes: Buffer): object
  responseSerialize(value: object): Buffer
  responseDeserialize(bytes: Buffer): object
}

const toBuffer = (bytes: Uint8Array) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)

/** Method name → definition, as @grpc/grpc-js wants it. */
export function serviceDefinition(
  service: 'RuntimeService' | 'ImageService',
): Record<string, MethodDefinition> {
  const methods = criRpcs.filter(rpc => rpc.service === service)
  return Object.fromEntries(
    methods.map(({ method, path, request, response, streams }) => [
      method,
      {
        path,
        requestStream: false as const,
        responseStream: streams,
        requestSerialize: (value: object) =>
          toBuffer(codec.encode(request, value as Record<string, unknown>)),
        requestDeserialize: (bytes: Buffer) => codec.decode(request, bytes),
        responseSerialize: (value: object) =>
          toBuffer(codec.encode(response, value as Record<string, unknown>)),
        responseDeserialize: (bytes: Buffer) => codec.decode(response, bytes),
      },
    ]),
  )
}

const json = {
  write: (value: object) => Buffer.from(JSON.stringify(value)),
  read: (bytes: Buffer) => JSON.parse(bytes.toString()) as object,
}

/** Our own addition: loading image archives, which the CRI has no call for. */
export const loadDefinition: Record<string, MethodDefinition> = {
  load: {
    path: '/kubernode.images.v1.Images/Load',
    requestStream: false,
    responseStream: false,
    requestSerialize: json.write,
    requestDeserialize: json.read,
    responseSerialize: json.write,
    responseDeserialize: json.read,
  },
}

export interface LoadRequest {
  path: string
  names: string[]
}

export interface LoadResponse {
  names: string[]
}
