import { ParleyError } from "@parley-im/sdk";
import { useEffect, useRef, useState, type FormEvent } from "react";
import { useTranslation } from "../i18n";
import { fieldText } from "./problem";

/** What is wrong with which field; those without a fault are left out. */
type Errors<V> = { [F in keyof V]?: string | undefined };

export interface FormOptions<V extends Record<string, string>> {
  /** What the fields begin with, by the names that the API has for them. */
  initial: V;
  /** What is wrong with what was filled in. */
  check: (values: V) => Errors<V>;
  /** Sends it. What it rejects with is shown, at the fields that it names. */
  send: (values: V) => Promise<void>;
  /** Words for a refusal that this form knows better; undefined for the usual ones. */
  explain?: (error: unknown) => { field?: keyof V; text: string } | undefined;
}

export interface FormState<V extends Record<string, string>> {
  values: V;
  errors: Errors<V>;
  /** What is wrong beside the fields. */
  problem: { error: unknown; text?: string | undefined } | null;
  pending: boolean;
  /** How often it was refused, here or there; Form moves the focus when it grows. */
  refusals: number;
  set: (values: Partial<V>) => void;
  submit: (event: FormEvent) => void;
  /** The props of a field. */
  bind: <F extends keyof V & string>(
    field: F,
  ) => { name: F; value: string; error: string | undefined; onChange: (value: string) => void };
}

/** A form that is checked here, sent once at a time, and shows refusals where they belong. */
export function useForm<V extends Record<string, string>>(options: FormOptions<V>): FormState<V> {
  const { t } = useTranslation();
  const mounted = useMounted();
  const [values, setValues] = useState(options.initial);
  const [errors, setErrors] = useState<Errors<V>>({});
  const [problem, setProblem] = useState<FormState<V>["problem"]>(null);
  const [pending, setPending] = useState(false);
  const [refusals, setRefusals] = useState(0);

  function refuse(found: Errors<V>, rest: FormState<V>["problem"]) {
    setErrors(found);
    setProblem(rest);
    setRefusals((n) => n + 1);
  }

  function read(error: unknown) {
    const known = options.explain?.(error);
    if (known && known.field === undefined) return refuse({}, { error, text: known.text });
    const found: Errors<V> = {};
    if (known?.field !== undefined) {
      found[known.field] = known.text;
    } else if (error instanceof ParleyError) {
      for (const field of Object.keys(options.initial) as (keyof V & string)[]) {
        const text = fieldText(t, field, error);
        if (text) found[field] = text;
      }
    }
    refuse(found, Object.keys(found).length > 0 ? null : { error });
  }

  async function run() {
    const found = options.check(values);
    if (Object.values(found).some(Boolean)) return refuse(found, null);
    setErrors({});
    setProblem(null);
    setPending(true);
    try {
      await options.send(values);
    } catch (error) {
      if (mounted.current) read(error);
    } finally {
      if (mounted.current) setPending(false);
    }
  }

  const set = (some: Partial<V>) => setValues((now) => ({ ...now, ...some }));
  return {
    values,
    errors,
    problem,
    pending,
    refusals,
    set,
    submit(event) {
      event.preventDefault();
      if (!pending) void run();
    },
    bind: (field) => ({
      name: field,
      value: values[field] ?? "",
      error: errors[field],
      onChange(value) {
        set({ [field]: value } as unknown as Partial<V>);
        setErrors((now) => ({ ...now, [field]: undefined }));
      },
    }),
  };
}

function useMounted() {
  const mounted = useRef(true);
  useEffect(() => {
    mounted.current = true;
    return () => {
      mounted.current = false;
    };
  }, []);
  return mounted;
}
