async function sign() {
  "use server";
}

export default function Page() {
  return (
    <form action={sign}>
      <button type="submit">Sign</button>
    </form>
  );
}
