import { Component, type ReactNode } from "react";

interface ErrorBoundaryProps {
  /** The content shown instead of the children after a child has failed. */
  fallback: ReactNode;
  children: ReactNode;
}

/**
 * Limits a failure to the part of the page where it happened. Usually, a new version was deployed while the page was
 * open, and code of the old version can no longer be loaded.
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
