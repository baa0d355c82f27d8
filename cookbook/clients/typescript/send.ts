// The functions that orval generates send their requests with send. A program with credentials adds them here.
export async function send<T>(path: string, options: RequestInit): Promise<T> {
  const response = await fetch(new URL(path, process.argv[2]), options);
  const text = await response.text();
  return { status: response.status, headers: response.headers, data: text === "" ? undefined : JSON.parse(text) } as T;
}
