import { defaultPayloadConverter, type PayloadConverter } from '@temporalio/common'

/**
 * Of the workflows' sandbox. Anybody can signal a workflow anything, and what a signal brings is decoded before its
 * handler sees it: one of an unknown encoding, or of broken JSON, would fail each of the workflow's tasks for ever. It
 * comes as nothing instead, which no handler takes for what it is to get. What an activity answers is our own: that it
 * can't be read is a fault, and stays one.
 */
export const payloadConverter: PayloadConverter = {
  toPayload: (value, context, hint) => defaultPayloadConverter.toPayload(value, context, hint),
  fromPayload(payload, context, hint) {
    try {
      return defaultPayloadConverter.fromPayload(payload, context, hint)
    } catch (error) {
      if (context?.type === 'activity') throw error
      return undefined as never
    }
  },
}
