import { Component, type ReactNode } from "react";

interface ErrorBoundaryProps {
  /** Drawn instead of the children once one of them has failed. */
  fallback: ReactNode;
  children: ReactNode;
}

/**
 * Keeps a failure to the part of the page where it happened. The usual one: a new version was installed while the page
 * was open, and a part of the old one can no longer be loaded.
 */
export class ErrorBoundary extends Component<ErrorBoundaryProps, { failed: boolean }> {
  override state = { failed: false };

  static getDerivedStateFromError() {
    return { failed: true };
  }

  override render() {
    return this.state.failed ? this.props.fallback : this.props.children;
  }
}
