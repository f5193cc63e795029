<?php
/**
 * Comments that were here before: sent a hundred at a time as history, so that nothing changes for readers.
 *
 * @package Comment_Moderation
 */

namespace Comment_Moderation;

defined( 'ABSPATH' ) || exit;

const IMPORTED = array(
	'1'     => 'approved',
	'spam'  => 'rejected',
	'trash' => 'rejected',
);

add_action( 'rest_api_init', __NAMESPACE__ . '\\register_import' );

/**
 * Registers the address that the button calls.
 */
function register_import(): void {
	register_rest_route(
		REST_SPACE,
		'/import',
		array(
			'methods'             => 'POST',
			'callback'            => __NAMESPACE__ . '\\import_some',
			'permission_callback' => static function () {
				return current_user_can( 'manage_options' );
			},
		)
	);
}

/**
 * Part of a query: comments that are decided here and unknown to the service.
 */
function importable(): string {
	global $wpdb;
	return $wpdb->prepare(
		"FROM {$wpdb->comments} c LEFT JOIN {$wpdb->commentmeta} m ON m.comment_id = c.comment_ID AND m.meta_key = %s
		WHERE m.meta_id IS NULL AND c.comment_approved IN ('1', 'spam', 'trash') AND c.comment_type IN ('', 'comment')
		AND c.comment_content <> ''",
		RECORD
	);
}

/**
 * How many are left to send.
 */
function count_importable(): int {
	global $wpdb;
	// phpcs:ignore WordPress.DB -- prepared in importable().
	return (int) $wpdb->get_var( 'SELECT COUNT(*) ' . importable() );
}

/**
 * Sends the next hundred. Each is noted with its comment, so that the work can be broken off and taken up at any time.
 *
 * @return \WP_REST_Response|\WP_Error With `sent`, `refused` and `remaining`.
 */
function import_some() {
	global $wpdb;
	// phpcs:ignore WordPress.DB -- prepared in importable().
	$ids      = $wpdb->get_col( 'SELECT c.comment_ID ' . importable() . ' ORDER BY c.comment_ID LIMIT ' . BATCH );
	$comments = array_values( array_filter( array_map( 'get_comment', $ids ) ) );
	$sent     = 0;
	if ( $comments ) {
		$answer = send_batch( array_map( __NAMESPACE__ . '\\imported', $comments ) );
		if ( ! went_well( $answer ) ) {
			return new \WP_Error( 'comment_moderation_import', $answer['error'], array( 'status' => 502 ) );
		}
		foreach ( $comments as $place => $comment ) {
			$sent += keep_imported( $comment, (array) $answer['body']['results'][ $place ] );
		}
	}
	return new \WP_REST_Response(
		array(
			'sent'      => $sent,
			'refused'   => count( $comments ) - $sent,
			'remaining' => count_importable(),
		)
	);
}

/**
 * An old comment as the service takes it.
 *
 * @param \WP_Comment $comment The comment.
 */
function imported( \WP_Comment $comment ): array {
	return payload( $comment ) + array( 'imported_status' => IMPORTED[ $comment->comment_approved ] );
}

/**
 * Notes what became of one. Returns 1 when it was sent, 0 when it was refused.
 *
 * @param \WP_Comment $comment The comment.
 * @param array       $result  Of the batch.
 */
function keep_imported( \WP_Comment $comment, array $result ): int {
	$id = (int) $comment->comment_ID;
	if ( ! isset( $result['id'], $result['revision'] ) ) {
		keep( $id, array( 'error' => (string) ( $result['error']['code'] ?? 'unknown' ) ) );
		return 0;
	}
	keep(
		$id,
		array(
			'id'       => (string) $result['id'],
			'revision' => (int) $result['revision'],
			'hash'     => text_hash( $comment ),
			'imported' => 1,
		)
	);
	return 1;
}
