// Puts one CSAF document (standard input) to the independent validator; prints what it finds.
import { readFileSync } from 'node:fs'
import { pathToFileURL } from 'node:url'

const folder = pathToFileURL(process.argv[2] + '/')
const load = async (name) => Object.values(await import(new URL(name, folder)))
const tests = [...(await load('schemaTests.js')), ...(await load('mandatoryTests.js'))]
const { default: validate } = await import(new URL('validate.js', folder))
const { tests: results } = await validate(tests, JSON.parse(readFileSync(0, 'utf8')))
console.log(JSON.stringify(results.map(({ name, isValid, errors }) => ({ name, isValid, errors }))))
