// Kinds of numbers that the schema's fields are made of, each with its unit.
import { z } from 'zod'

export const ms = (min: number, max: number, fallback: number, doc: string) =>
  z.number().int().min(min).max(max).default(fallback).describe(doc).meta({ unit: 'ms' })
export const bytes = (min: number, max: number, fallback: number, doc: string) =>
  z.number().int().min(min).max(max).default(fallback).describe(doc).meta({ unit: 'bytes' })
export const count = (min: number, max: number, fallback: number, doc: string) =>
  z.number().int().min(min).max(max).default(fallback).describe(doc)
export const share = (min: number, max: number, fallback: number, doc: string) =>
  z.number().min(min).max(max).default(fallback).describe(doc).meta({ unit: 'share' })
